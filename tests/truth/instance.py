"""The execution environments of Lambda that cases start in: what is equal in all of them, and what differs.

This is the only place that knows the values.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

USER, GROUP = 993, 990
RUNTIME_API = "127.0.0.1:9001"
REGION = "us-east-1"
INSTANCES = (1, 2, 3, 4)
WITH_FILES = (3, 4)
"""Instances that have the files of a case."""

_EQUAL_EVERYWHERE = {
    "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
    "AWS_LAMBDA_RUNTIME_API": RUNTIME_API,
    "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
    "AWS_XRAY_DAEMON_ADDRESS": "169.254.79.129:2000",
    "LAMBDA_RUNTIME_DIR": "/var/runtime",
    "LAMBDA_TASK_ROOT": "/var/task",
    "LANG": "en_US.UTF-8",
    "LD_LIBRARY_PATH": "/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib",
    "PATH": "/usr/local/bin:/usr/bin/:/bin:/opt/bin",
    "TZ": ":UTC",
    "_AWS_XRAY_DAEMON_ADDRESS": "169.254.79.129",
    "_AWS_XRAY_DAEMON_PORT": "2000",
}
"""Runtimes of the family `provided` have neither `HOME` nor `AWS_EXECUTION_ENV`, and `_X_AMZN_TRACE_ID` is what the
runtime itself sets in each invocation."""


@dataclass(frozen=True)
class Function:
    """What a deployment says about a function."""

    name: str
    environment: Mapping[str, str]
    memory_size: int = 512
    log_format: str | None = None


@dataclass(frozen=True)
class Instance:
    """One execution environment."""

    number: int
    variables: Mapping[str, str]
    host_name: str
    process: int
    """Id of the program's process."""
    uptime: int
    """Seconds since the machine was started, as its clocks tell."""
    proc_files: Mapping[str, str]
    """Content of files in /proc."""
    has_files: bool
    """Whether it has the files of a case."""


def instance(number: int, function: Function, configured: Mapping[str, str]) -> Instance:
    """Return an environment of a function, equal for equal arguments, different for each number.

    Args:
        number: 1 to 4.
        function: What is known when the function is deployed.
        configured: The variables of the function's configuration.
    """
    return Instance(
        number=number,
        variables={**_EQUAL_EVERYWHERE, **_known_at_deployment(function), **_per_instance(number), **configured},
        host_name=f"169-254-{7 * number}-{29 * number}",
        process=7 + number,
        uptime=5 + 86_400 * number,
        proc_files={
            "/proc/cpuinfo": _processors(number),
            "/proc/meminfo": f"MemTotal: {900_000 + number:14} kB\nMemFree: {600_000 + number:15} kB\n",
        },
        has_files=number in WITH_FILES,
    )


def _known_at_deployment(function: Function) -> dict[str, str]:
    variables = {
        "AWS_DEFAULT_REGION": REGION,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_size),
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.name}",
        "AWS_REGION": REGION,
        "_HANDLER": f"functions.{function.name}",
    }
    if function.log_format:
        variables["AWS_LAMBDA_LOG_FORMAT"] = function.log_format
        if function.log_format == "JSON":
            variables["AWS_LAMBDA_LOG_LEVEL"] = "INFO"
    return variables


def _per_instance(number: int) -> dict[str, str]:
    token = hashlib.sha256(f"instance {number}".encode()).hexdigest()
    return {
        "AWS_ACCESS_KEY_ID": f"ASIA{token[:16].upper()}",
        "AWS_LAMBDA_LOG_STREAM_NAME": f"2027/01/{number:02}/[$LATEST]{token[:32]}",
        "AWS_LAMBDA_METADATA_API": "169.254.100.1:9001",
        "AWS_LAMBDA_METADATA_TOKEN": token[16:48],
        "AWS_SECRET_ACCESS_KEY": token[:40],
        "AWS_SESSION_TOKEN": token * 4,
    }


def _processors(number: int) -> str:
    model = "Intel(R) Xeon(R) Processor @ 2.50GHz" if number % 2 else "AMD EPYC"
    return "".join(
        f"processor\t: {index}\nmodel name\t: {model}\ncpu MHz\t\t: {2500 + number}.000\n\n" for index in range(2)
    )
