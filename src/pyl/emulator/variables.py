"""The environment variables that Lambda gives to a function.

https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
"""

from __future__ import annotations

import datetime as dt
import os
import uuid
from collections.abc import Mapping

from pyl import lambda_environment
from pyl.project.model import Function

ACCOUNT = "123456789012"
DEFAULT_REGION = "us-east-1"

_CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "AWS_SESSION_TOKEN": "emulator",
}
"""AWS's own documented examples: enough to sign requests with, worth nothing."""


def arn(function_name: str, region: str | None) -> str:
    """A well-formed function ARN in the emulator's account."""
    return f"arn:aws:lambda:{region or DEFAULT_REGION}:{ACCOUNT}:function:{function_name}"


def variables(
    function: Function,
    *,
    region: str | None,
    api: str,
    task_root: str,
    runtime: str | None,
    environ: Mapping[str, str] = os.environ,
) -> dict[str, str]:
    """What an execution environment of `function` sees.

    `runtime` is Lambda's name of a managed runtime, None for `provided.*`, where `AWS_EXECUTION_ENV` is not
    set. Credentials come from the caller's environment when it has any, so that a function may reach AWS.
    """
    region = region or DEFAULT_REGION
    today = dt.datetime.now(dt.UTC)
    own = {
        **lambda_environment.VARIABLES,
        "_HANDLER": f"functions.{function.name}",
        "LAMBDA_TASK_ROOT": task_root,
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.configuration.memory),
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": f"{today:%Y/%m/%d}/[$LATEST]{uuid.uuid4().hex}",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_RUNTIME_API": api,
    }
    if runtime:
        own["AWS_EXECUTION_ENV"] = f"AWS_Lambda_{runtime}"
        own["LD_LIBRARY_PATH"] = lambda_environment.MANAGED_LIBRARY_PATH
    credentials = {name: environ.get(name, text) for name, text in _CREDENTIALS.items()}
    if "AWS_ACCESS_KEY_ID" in environ and "AWS_SESSION_TOKEN" not in environ:
        del credentials["AWS_SESSION_TOKEN"]
    # The certificates of a proxy or a local AWS server go with its address: alone, they would keep a package
    # from the image that was taken without them.
    local = ("AWS_ENDPOINT_URL", "AWS_CA_BUNDLE") if "AWS_ENDPOINT_URL" in environ else ()
    passed = {name: environ[name] for name in local if name in environ}
    return passed | dict(function.configuration.environment) | credentials | own
