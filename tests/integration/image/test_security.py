"""What an image must not hold, and what no two instances of one may share."""

from __future__ import annotations

import importlib.util
import json
import os
import textwrap
from pathlib import Path

import pytest

from integration.image.lambda_environment import Environment
from integration.image.packages import CaptureHandlers
from pyl.image.capture.world import PROCESS_ID_OFFSET
from pyl.image.file import description
from pyl.image.file.names import IMAGE, MEMORY
from pyl.lambda_environment import PROCESS_ID_LIMIT


def test_no_process_can_have_the_id_that_was_seen_at_capture(captured: CaptureHandlers, run: type[Environment]) -> None:
    source = "import os\nis_large = os.getpid() > {}\ndef handler(event, context): return [is_large, os.getpid()]\n"
    package, result = captured(source.format(PROCESS_ID_OFFSET))
    assert (result.kind, result.reasons) == ("full", ())
    with run(package) as environment:
        is_large, own = environment.invoke()
    assert is_large
    assert own < PROCESS_ID_LIMIT < PROCESS_ID_OFFSET


def test_nothing_of_the_build_machine_is_in_the_image(
    captured: CaptureHandlers, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    home = tmp_path / "canary-home-5d1f"
    (home / ".aws").mkdir(parents=True)
    (home / ".aws" / "credentials").write_text("[default]\naws_access_key_id = CANARY-KEY-77aa\n")
    for name, value in {
        "HOME": str(home),
        "USER": "canary-user-91c3",
        "AWS_ACCESS_KEY_ID": "CANARY-KEY-1b2c",
        "AWS_SECRET_ACCESS_KEY": "canary-secret-3d4e",
        "CI_TOKEN": "canary-token-5f60",
    }.items():
        monkeypatch.setenv(name, value)
    source = (
        "import os, socket, getpass, pathlib, platform\nnames = sorted(dict(os.environ))\nplatform.node()\n"
        "home = os.path.expanduser('~')\ndef handler(event, context): return [names, home]\n"
    )
    package, result = captured(source)
    assert result.kind == "full"
    content = (package / IMAGE).read_bytes() + (package / MEMORY).read_bytes()
    canaries = [b"canary-home", b"canary-user", b"CANARY-KEY", b"canary-secret", b"canary-token"]
    if os.uname().nodename not in ("localhost", "vm"):
        canaries.append(os.uname().nodename.encode())
    assert [canary for canary in canaries if canary in content] == []


def test_two_builds_differ_in_addresses_and_hash_seed(base: Path, tmp_path: Path, run: type[Environment]) -> None:
    from integration.image import packages
    from pyl.image.create import capture

    source = "def handler(event, context): return [hash('x'), id(handler)]\n"
    answers = []
    for name in ("one", "two"):
        package = packages.with_functions(
            base, tmp_path / name, {"handlers.py": source}, {"handler": "handlers:handler"}
        )
        assert capture(package, environment={}).kind == "full"
        with run(package) as environment:
            answers.append(environment.invoke())
    assert answers[0][0] != answers[1][0]
    assert answers[0][1] != answers[1][1]


BOTO = textwrap.dedent(
    """
    import os, boto3
    client = boto3.client("s3", region_name="us-east-1")
    def handler(event, context) -> None:
        if event:
            os.environ["AWS_ACCESS_KEY_ID"] = event
        return client.generate_presigned_url("get_object", Params={"Bucket": "b", "Key": "k"})
    """
)


@pytest.mark.skipif(importlib.util.find_spec("boto3") is None, reason="boto3 is not installed")
def test_a_client_made_at_import_signs_with_the_keys_of_the_restored_process(
    captured: CaptureHandlers, run: type[Environment]
) -> None:
    imports = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six", "urllib3")
    package, result = captured(BOTO, imports=imports)
    assert (result.kind, result.reasons) == ("full", ())
    with run(package) as environment:
        assert "AWSAccessKeyId=AKIARESTORED&" in environment.invoke() or "AKIARESTORED" in environment.invoke()
        assert "restored-token" in environment.invoke()
        assert "AKIAROTATED" in environment.invoke("AKIAROTATED")
        assert environment.notices == []


def test_the_description_names_owners_and_guards_and_no_value(captured: CaptureHandlers) -> None:
    source = "import os\nsecret = os.environ['SECRET']\ndef handler(event, context): return 1\n"
    package, _ = captured(source, environment={"SECRET": "value-of-it"})
    content = description.read(package)
    assert content["kind"] == "full"
    assert {"name": "SECRET", "where": "/var/task/pyl/app/site/handlers.py:2"} in content["environment"]
    assert {"name": "SECRET", "condition": "SECRET has the build's value"} in content["guards"]
    assert content["owners"]["heap"] > 0
    assert any(name.startswith("libpython") for name in content["owners"])
    assert "value-of-it" not in json.dumps(content)
