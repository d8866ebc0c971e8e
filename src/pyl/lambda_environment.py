"""Lambda's execution environment: the paths and values that are equal in all of them.

Sources: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html and the environments of `provided.al2`
and `provided.al2023` as they were printed on AWS.
"""

from __future__ import annotations

from types import MappingProxyType

TASK_ROOT = "/var/task"
"""Folder of the unpacked package; read-only."""

APP = f"{TASK_ROOT}/pyl/app"
"""Folder of a native package's program."""

LAYERS_ROOT = "/opt"
"""Folder into which Lambda unpacks layers."""

PYTHON_LAYERS = f"{LAYERS_ROOT}/python"
"""Where the managed runtimes look for modules of layers."""

RUNTIME_ROOT = "/var/runtime"
"""Folder of a managed runtime's client."""

_LIBRARY_PATH = "/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib"

VARIABLES = MappingProxyType(
    {
        "LANG": "en_US.UTF-8",
        "LAMBDA_RUNTIME_DIR": RUNTIME_ROOT,
        "LAMBDA_TASK_ROOT": TASK_ROOT,
        "LD_LIBRARY_PATH": _LIBRARY_PATH,
        "PATH": "/usr/local/bin:/usr/bin/:/bin:/opt/bin",
        "TZ": ":UTC",
    }
)
"""Variables that have the same value in every environment of `provided.*`."""

MANAGED_LIBRARY_PATH = f"/var/lang/lib:{_LIBRARY_PATH}"
"""`LD_LIBRARY_PATH` of the managed runtimes, which put their interpreter's folder first."""

PAGE = 4096
"""Bytes of a memory page on Lambda's kernels, on both architectures."""

CREDENTIALS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
"""Variables with the credentials of the function's role."""

TRACE_ID = "_X_AMZN_TRACE_ID"
"""Variable with the trace header: not set before the first invocation, and another in each."""

PROCESS_ID_LIMIT = 1 << 22
"""Linux's largest process id plus one. Only a captured process sees larger ones (`pyl.image.capture.world`)."""

TEMPORARY = "/tmp"  # noqa: S108 - Lambda's
"""The only folder that can be written; empty at first."""

OPEN_FILES = 1024
"""Limit of open file descriptors."""

USER, GROUP = 993, 990
"""Ids of the user and group that functions run as: `sbx_user1051`."""
