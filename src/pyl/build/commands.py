"""The AWS CLI commands that deploy a package, printed after each build."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from pathlib import Path

from pyl.project.model import Architecture, Function


@dataclass(frozen=True, kw_only=True)
class Commands:
    """Commands for a POSIX shell, to be run as printed once the placeholders are set."""

    create: str
    """For any function of the package, with `$FUNCTION_NAME`, `$LAMBDA_ROLE_ARN` and `$REGION_ID`."""
    update: str
    publish_layer: str | None
    functions: dict[str, str]
    """Function name to its own `create-function` command, configuration included."""


def commands(
    package: Path,
    functions: tuple[Function, ...],
    *,
    runtime: str,
    architecture: Architecture,
    layer: Path | None = None,
    layer_name: str | None = None,
) -> Commands:
    """The commands that create and update functions from `package`."""
    layers = " --layers $LAYER_ARN" if layer else ""

    def create(name: str, handler: str, memory: int, timeout: int, extra: str = "") -> str:
        return (
            f"aws lambda create-function --function-name {name} --zip-file {_fileb(package)}"
            f" --handler {handler} --runtime {runtime} --role $LAMBDA_ROLE_ARN --architectures {architecture}"
            f"{layers} --memory-size {memory} --timeout {timeout} --region $REGION_ID{extra}"
        )

    return Commands(
        create=create("$FUNCTION_NAME", "functions.$FUNCTION_NAME", 512, 10),
        update=(
            f"aws lambda update-function-code --function-name $FUNCTION_NAME --zip-file {_fileb(package)}"
            f" --region $REGION_ID"
        ),
        publish_layer=_publish_layer(layer, layer_name or "pyl", runtime, architecture) if layer else None,
        functions={
            function.name: create(
                function.name,
                f"functions.{function.name}",
                function.configuration.memory,
                function.configuration.timeout,
                _extra(function),
            )
            for function in functions
        },
    )


def _publish_layer(layer: Path, name: str, runtime: str, architecture: Architecture) -> str:
    return (
        f"LAYER_ARN=$(aws lambda publish-layer-version --layer-name {shlex.quote(name)} --zip-file {_fileb(layer)}"
        f" --compatible-runtimes {runtime} --compatible-architectures {architecture}"
        f" --query LayerVersionArn --output text --region $REGION_ID)"
    )


def _extra(function: Function) -> str:
    text = f" --description {shlex.quote(function.description)}" if function.description else ""
    if environment := function.configuration.environment:
        text += f" --environment {shlex.quote(json.dumps({'Variables': dict(environment)}))}"
    return text


def _fileb(package: Path) -> str:
    return shlex.quote(f"fileb://{package}")
