"""The printed AWS CLI commands survive a shell."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace
from pathlib import Path

from pyl.architecture import Architecture
from pyl.packaging.commands import DIRECT_UPLOAD_LIMIT, commands
from pyl.project.config.model import FunctionConfiguration
from pyl.project.model import Function


def function(name: str, **configuration: object) -> Function:
    return Function(
        name=name,
        module="handlers",
        attribute=name,
        file=Path("/project/handlers.py"),
        line=1,
        event=None,
        configuration=FunctionConfiguration(**configuration),  # type: ignore[arg-type]
        description="It's a function",
    )


def test_paths_with_spaces_and_quotes_stay_one_argument() -> None:
    printed = commands(Path("/my work/it's.zip"), (), runtime="provided.al2", architecture=Architecture.X86_64)
    assert "fileb:///my work/it's.zip" in shlex.split(printed.create)
    assert "fileb:///my work/it's.zip" in shlex.split(printed.update)


def test_the_generic_command_has_placeholders_and_the_products_defaults() -> None:
    printed = commands(Path("/p.zip"), (), runtime="provided.al2", architecture=Architecture.X86_64)
    words = shlex.split(printed.create)
    options = dict(zip(words[3::2], words[4::2], strict=True))
    assert options == {
        "--function-name": "$FUNCTION_NAME",
        "--zip-file": "fileb:///p.zip",
        "--handler": "functions.$FUNCTION_NAME",
        "--runtime": "provided.al2",
        "--role": "$LAMBDA_ROLE_ARN",
        "--architectures": "x86_64",
        "--memory-size": "512",
        "--timeout": "10",
        "--region": "$REGION_ID",
    }


def test_a_functions_own_command_carries_its_configuration() -> None:
    notify = function("notify", memory=128, timeout=30, environment={"TABLE": 'it\'s "mine"'})
    printed = commands(Path("/p.zip"), (notify,), runtime="python3.11", architecture=Architecture.ARM64).functions[
        "notify"
    ]
    words = shlex.split(printed)
    assert words[words.index("--memory-size") + 1] == "128"
    assert words[words.index("--timeout") + 1] == "30"
    assert words[words.index("--handler") + 1] == "functions.notify"
    assert words[words.index("--description") + 1] == "It's a function"
    assert json.loads(words[words.index("--environment") + 1]) == {"Variables": {"TABLE": 'it\'s "mine"'}}


def test_what_the_aws_cli_would_take_for_an_address_or_an_option_goes_as_json() -> None:
    for text in ("https://example.org tells", "file:///etc/passwd", "-x"):
        printed = commands(
            Path("/p.zip"),
            (replace(function("notify"), description=text),),
            runtime="python3.11",
            architecture=Architecture.X86_64,
        )
        words = shlex.split(printed.functions["notify"])
        assert "--description" not in words
        assert json.loads(words[words.index("--cli-input-json") + 1]) == {"Description": text}


def test_a_large_package_goes_by_s3_under_a_name_of_its_content(tmp_path: Path) -> None:
    package = tmp_path / "native.zip"
    with package.open("wb") as file:
        file.truncate(DIRECT_UPLOAD_LIMIT + 1)
    printed = commands(package, (), runtime="provided.al2", architecture=Architecture.X86_64)
    assert printed.upload is not None
    key = printed.upload.partition("s3://$BUCKET_NAME/")[2].partition(" ")[0]
    assert f"--code S3Bucket=$BUCKET_NAME,S3Key={key}" in printed.create
    assert f"--s3-bucket $BUCKET_NAME --s3-key {key}" in printed.update
    with package.open("r+b") as file:
        file.write(b"x")
    assert key not in str(commands(package, (), runtime="provided.al2", architecture=Architecture.X86_64).upload)


def test_names_have_the_prefix_and_handlers_have_not() -> None:
    printed = commands(
        Path("/p.zip"), (function("f"),), runtime="python3.11", architecture=Architecture.X86_64, prefix="test-"
    )
    words = shlex.split(printed.functions["f"])
    assert words[words.index("--function-name") + 1] == "test-f"
    assert words[words.index("--handler") + 1] == "functions.f"


def test_a_layer_is_published_first_and_its_arn_used() -> None:
    printed = commands(
        Path("/p.zip"),
        (function("f"),),
        runtime="python3.11",
        architecture=Architecture.X86_64,
        layer=Path("/layer.zip"),
        layer_name="shop-dependencies",
    )
    assert printed.publish_layer is not None
    assert printed.publish_layer.startswith(
        "LAYER_ARN=$(aws lambda publish-layer-version --layer-name shop-dependencies"
    )
    assert "--layers $LAYER_ARN" in printed.create
    assert "--layers $LAYER_ARN" in printed.functions["f"]
