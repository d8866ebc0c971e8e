"""AWS CLI commands that deploy a package, printed after each build."""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pyl.architecture import Architecture
from pyl.project.model import Function

DIRECT_UPLOAD_LIMIT = 50 * 1024 * 1024
"""Bytes of the largest zip that the Lambda API accepts directly; larger ones are uploaded to S3.
https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""


@dataclass(frozen=True, kw_only=True)
class Commands:
    """Commands for a POSIX shell. They run as printed once the variables are set."""

    create: str
    """Creates any function of the package, with `$FUNCTION_NAME`, `$LAMBDA_ROLE_ARN` and `$REGION_ID`."""
    update: str
    """Updates the code of any function of the package."""
    publish_layer: str | None
    """Publishes the layer and sets `$LAYER_ARN`; None without a layer."""
    functions: dict[str, str]
    """The `create-function` command of each function with its configuration, by the function's name."""
    upload: str | None = None
    """Uploads packages over 50 MB to `$BUCKET_NAME`, which the other commands refer to."""


def commands(
    package: Path,
    functions: tuple[Function, ...],
    *,
    runtime: str,
    architecture: Architecture,
    layer: Path | None = None,
    layer_name: str | None = None,
    prefix: str = "",
) -> Commands:
    """Return the commands that create and update functions from a package.

    Args:
        package: The package's zip.
        functions: The functions in it.
        runtime: Lambda's name of the runtime.
        architecture: Processor architecture of the package.
        layer: Zip of the layer, if there is one.
        layer_name: Name of the layer in AWS.
        prefix: Prefix of the functions' names in AWS.
    """
    code = _Code(package)
    layers = " --layers $LAYER_ARN" if layer else ""

    def create(name: str, handler: str, memory: int, timeout: int, extra: str = "", role: str | None = None) -> str:
        return (
            f"aws lambda create-function --function-name {name} {code.of_new}"
            f" --handler {handler} --runtime {runtime} --role {role or '$LAMBDA_ROLE_ARN'}"
            f" --architectures {architecture}{layers} --memory-size {memory} --timeout {timeout}"
            f" --region $REGION_ID{extra}"
        )

    return Commands(
        create=create("$FUNCTION_NAME", "functions.$FUNCTION_NAME", 512, 10),
        update=(
            f"aws lambda update-function-code --function-name $FUNCTION_NAME {code.of_present} --region $REGION_ID"
        ),
        publish_layer=_publish_layer(layer, layer_name or "pyl", runtime, architecture) if layer else None,
        functions={
            function.name: create(
                f"{prefix}{function.name}",
                f"functions.{function.name}",
                function.configuration.memory,
                function.configuration.timeout,
                _extra(function, has_layer=layer is not None),
                function.configuration.deployment.role,
            )
            for function in functions
        },
        upload=code.upload,
    )


class _Code:
    """Options that refer to the package: to the file itself, or to its upload in S3."""

    def __init__(self, package: Path) -> None:
        self.upload: str | None = None
        self.of_new = self.of_present = f"--zip-file {_fileb(package)}"
        if package.is_file() and package.stat().st_size > DIRECT_UPLOAD_LIMIT:
            # One key for each content, so that older packages stay there for a rollback.
            with package.open("rb") as file:
                key = f"{package.stem}-{hashlib.file_digest(file, 'sha256').hexdigest()[:16]}.zip"
            self.upload = f"aws s3 cp {shlex.quote(str(package))} s3://$BUCKET_NAME/{key} --region $REGION_ID"
            self.of_new = f"--code S3Bucket=$BUCKET_NAME,S3Key={key}"
            self.of_present = f"--s3-bucket $BUCKET_NAME --s3-key {key}"


def _publish_layer(layer: Path, name: str, runtime: str, architecture: Architecture) -> str:
    return (
        f"LAYER_ARN=$(aws lambda publish-layer-version --layer-name {shlex.quote(name)} --zip-file {_fileb(layer)}"
        f" --compatible-runtimes {runtime} --compatible-architectures {architecture}"
        f" --query LayerVersionArn --output text --region $REGION_ID)"
    )


def _extra(function: Function, *, has_layer: bool) -> str:
    """Return options for the function's configuration. What needs other commands (a URL, an alias) is left out."""
    settings = function.configuration.deployment
    text = _description(function.description) if function.description else ""
    if environment := function.configuration.environment:
        text += _json_option("environment", {"Variables": dict(environment)})
    if settings.tags:
        text += _json_option("tags", dict(settings.tags))
    if settings.layers and not has_layer:
        text += f" --layers {shlex.join(settings.layers)}"
    if settings.tracing:
        text += f" --tracing-config Mode={settings.tracing}"
    if settings.ephemeral_storage:
        text += f" --ephemeral-storage Size={settings.ephemeral_storage}"
    if settings.log_format:
        text += f" --logging-config LogFormat={settings.log_format}"
    if settings.subnets:
        vpc = {"SubnetIds": list(settings.subnets), "SecurityGroupIds": list(settings.security_groups or ())}
        text += _json_option("vpc-config", vpc)
    return text


def _description(text: str) -> str:
    """Return the option for a description, quoted for the AWS CLI.

    The AWS CLI fetches values that look like URLs, and treats values that begin with a hyphen as options.
    """
    if text.startswith(("-", "http://", "https://", "file://", "fileb://")):
        return _json_option("cli-input-json", {"Description": text})
    return f" --description {shlex.quote(text)}"


def _json_option(name: str, value: Mapping[str, object]) -> str:
    return f" --{name} {shlex.quote(json.dumps(value))}"


def _fileb(package: Path) -> str:
    return shlex.quote(f"fileb://{package}")
