"""What a function can learn about the environment that it runs in, and how far the build knows it.

This table is the one description of Lambda's world. Captures run in it, guards and the proof by two worlds follow its
scopes, and the emulator, trial runs and tests set its variables.

Sources, in the table's words: *documented* is
https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html, *printed* are environments of `provided.*` and
managed runtimes as they were printed on AWS (2023-12 and later).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from pyl.lambda_environment import CREDENTIALS, TRACE_ID, VARIABLES


class Scope(StrEnum):
    """How far a fact is known when a function is built."""

    EVERYWHERE = "equal everywhere"
    DEPLOYED = "known when the function is deployed"
    INSTANCE = "different in each instance"


@dataclass(frozen=True)
class Fact:
    """One fact of Lambda's world.

    Attributes:
        name: The environment variable, or the fact in words.
        scope: How far the build knows it.
        source: Where the value comes from.
    """

    name: str
    scope: Scope
    source: str


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """What is known of a function when it is deployed.

    Attributes:
        function: Its name on AWS, with the project's prefix.
        handler: The value of `_HANDLER`.
        region: AWS region; None if the project does not say it.
        memory: Memory size in MB.
        version: Published version, or `$LATEST`.
        log_format: `Text` or `JSON`; None where logging is not configured.
        log_level: Lowest level of the function's log; None where it is not configured.
    """

    function: str
    handler: str
    region: str | None = None
    memory: int = 128
    version: str = "$LATEST"
    log_format: str | None = None
    log_level: str | None = None

    @property
    def processors(self) -> int:
        """Number of processors that Lambda gives to the memory size."""
        return processors_of(self.memory)


@dataclass(frozen=True, kw_only=True)
class Instance:
    """What is another in each instance.

    Attributes:
        runtime_api: Host and port of the Runtime API.
        log_stream: Name of the instance's log stream.
        credentials: Access key id, secret key and session token.
        metadata_token: Token of the metadata service.
        host_name: The host's name.
    """

    runtime_api: str
    log_stream: str
    credentials: tuple[str, str, str]
    metadata_token: str
    host_name: str


_PROCESSOR_STEPS = (3008, 5307, 7076, 8845)
"""Largest memory sizes, in MB, with 2, 3, 4 and 5 processors. Larger ones have 6."""

VARIABLE_FACTS = (
    *(Fact(name, Scope.EVERYWHERE, "documented and printed") for name in VARIABLES),
    Fact("AWS_XRAY_CONTEXT_MISSING", Scope.EVERYWHERE, "documented"),
    Fact("AWS_XRAY_DAEMON_ADDRESS", Scope.EVERYWHERE, "printed"),
    Fact("_AWS_XRAY_DAEMON_ADDRESS", Scope.EVERYWHERE, "printed"),
    Fact("_AWS_XRAY_DAEMON_PORT", Scope.EVERYWHERE, "printed"),
    Fact("AWS_LAMBDA_INITIALIZATION_TYPE", Scope.DEPLOYED, "documented; another with provisioned concurrency"),
    Fact("_HANDLER", Scope.DEPLOYED, "documented"),
    Fact("AWS_REGION", Scope.DEPLOYED, "documented"),
    Fact("AWS_DEFAULT_REGION", Scope.DEPLOYED, "documented"),
    Fact("AWS_LAMBDA_FUNCTION_NAME", Scope.DEPLOYED, "documented"),
    Fact("AWS_LAMBDA_FUNCTION_VERSION", Scope.DEPLOYED, "documented"),
    Fact("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", Scope.DEPLOYED, "documented"),
    Fact("AWS_LAMBDA_LOG_GROUP_NAME", Scope.DEPLOYED, "documented"),
    Fact("AWS_LAMBDA_LOG_FORMAT", Scope.DEPLOYED, "printed; set where logging is configured"),
    Fact("AWS_LAMBDA_LOG_LEVEL", Scope.DEPLOYED, "printed; set where logging is configured"),
    Fact("AWS_LAMBDA_LOG_STREAM_NAME", Scope.INSTANCE, "documented"),
    Fact("AWS_LAMBDA_RUNTIME_API", Scope.INSTANCE, "documented"),
    Fact("AWS_LAMBDA_METADATA_API", Scope.INSTANCE, "printed"),
    Fact("AWS_LAMBDA_METADATA_TOKEN", Scope.INSTANCE, "printed"),
    *(Fact(name, Scope.INSTANCE, "documented") for name in CREDENTIALS),
    Fact(TRACE_ID, Scope.INSTANCE, "documented; another in each invocation"),
)
"""Environment variables that Lambda sets. All others are the project's own, and known when it is deployed."""

OTHER_FACTS = (
    Fact("user and group id", Scope.EVERYWHERE, "printed: 993, 990"),
    Fact("number of processors", Scope.DEPLOYED, "follows from the memory size"),
    Fact("files outside the package", Scope.DEPLOYED, "layers at /opt, file systems at /mnt, the base image"),
    Fact("content of /tmp", Scope.EVERYWHERE, "documented: empty"),
    Fact("host name", Scope.INSTANCE, "printed"),
    Fact("process ids", Scope.INSTANCE, "the kernel's"),
    Fact("random bytes", Scope.INSTANCE, "the kernel's"),
    Fact("clocks", Scope.INSTANCE, "the kernel's"),
)

SCOPES: Mapping[str, Scope] = {fact.name: fact.scope for fact in VARIABLE_FACTS}
"""Scope of each variable that Lambda sets, by its name."""

_XRAY_HOST, _XRAY_PORT = "169.254.79.129", "2000"


def processors_of(memory: int) -> int:
    """Return the number of processors that Lambda gives to a memory size in MB.

    https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html tells the share; the number is as printed.
    """
    return 2 + sum(memory > step for step in _PROCESSOR_STEPS)


def lambda_variables(deployment: Deployment, instance: Instance) -> dict[str, str]:
    """Return all variables that `provided.*` sets before the first invocation."""
    variables = {
        **VARIABLES,
        "_HANDLER": deployment.handler,
        **dict(zip(CREDENTIALS, instance.credentials, strict=True)),
        "AWS_LAMBDA_FUNCTION_NAME": deployment.function,
        "AWS_LAMBDA_FUNCTION_VERSION": deployment.version,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(deployment.memory),
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{deployment.function}",
        "AWS_LAMBDA_LOG_STREAM_NAME": instance.log_stream,
        "AWS_LAMBDA_RUNTIME_API": instance.runtime_api,
        "AWS_LAMBDA_METADATA_API": "169.254.100.1:9001",
        "AWS_LAMBDA_METADATA_TOKEN": instance.metadata_token,
        "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
        "AWS_XRAY_DAEMON_ADDRESS": f"{_XRAY_HOST}:{_XRAY_PORT}",
        "_AWS_XRAY_DAEMON_ADDRESS": _XRAY_HOST,
        "_AWS_XRAY_DAEMON_PORT": _XRAY_PORT,
    }
    optional = {
        "AWS_REGION": deployment.region,
        "AWS_DEFAULT_REGION": deployment.region,
        "AWS_LAMBDA_LOG_FORMAT": deployment.log_format,
        "AWS_LAMBDA_LOG_LEVEL": deployment.log_level,
    }
    return variables | {name: text for name, text in optional.items() if text is not None}


def deployed_variables(deployment: Deployment) -> dict[str, str]:
    """Return the variables that Lambda sets and that are known when a function is deployed."""
    nowhere = Instance(runtime_api="", log_stream="", credentials=("", "", ""), metadata_token="", host_name="")
    variables = lambda_variables(deployment, nowhere)
    return {name: text for name, text in variables.items() if SCOPES[name] is Scope.DEPLOYED}
