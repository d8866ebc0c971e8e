"""The environment variables of a function, as Lambda sets them.

https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
"""

from __future__ import annotations

import datetime as dt
import os
import uuid
from collections.abc import Mapping

from pyl import lambda_environment
from pyl.lambda_facts import Deployment, Instance, lambda_variables
from pyl.project.model import Function

ACCOUNT = "123456789012"
DEFAULT_REGION = "us-east-1"

_CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "AWS_SESSION_TOKEN": "emulator",
}
"""The examples of AWS's documentation: requests can be signed with them, and no account accepts them."""


def function_arn(function_name: str, region: str | None) -> str:
    """Return the ARN of a function in the emulator's account."""
    return f"arn:aws:lambda:{region or DEFAULT_REGION}:{ACCOUNT}:function:{function_name}"


def environment_variables(
    function: Function,
    *,
    region: str | None,
    api: str,
    task_root: str,
    runtime: str | None,
    environ: Mapping[str, str] = os.environ,
) -> dict[str, str]:
    """Return all variables of an execution environment.

    Credentials and `AWS_ENDPOINT_URL` come from `environ` if they are set there, so that the function can use AWS.

    Args:
        function: The function that the environment runs.
        region: AWS region; by default `us-east-1`.
        api: Host and port of the Runtime API.
        task_root: The folder of the unpacked package.
        runtime: Lambda's name of a managed runtime; None for `provided.*`, where `AWS_EXECUTION_ENV` is not set.
        environ: This machine's variables.
    """
    region = region or DEFAULT_REGION
    today = dt.datetime.now(dt.UTC)
    credentials = {name: environ.get(name, text) for name, text in _CREDENTIALS.items()}
    if "AWS_ACCESS_KEY_ID" in environ and "AWS_SESSION_TOKEN" not in environ:
        del credentials["AWS_SESSION_TOKEN"]
    deployment = Deployment(
        function=function.name,
        handler=f"functions.{function.name}",
        region=region,
        memory=function.configuration.memory,
    )
    instance = Instance(
        runtime_api=api,
        log_stream=f"{today:%Y/%m/%d}/[$LATEST]{uuid.uuid4().hex}",
        credentials=("", "", ""),
        metadata_token=uuid.uuid4().hex,
        host_name="",
    )
    own = {**lambda_variables(deployment, instance), "LAMBDA_TASK_ROOT": task_root}
    own = {name: text for name, text in own.items() if name not in _CREDENTIALS}
    if runtime:
        own["AWS_EXECUTION_ENV"] = f"AWS_Lambda_{runtime}"
        own["LD_LIBRARY_PATH"] = lambda_environment.MANAGED_LIBRARY_PATH
    # The certificates of a proxy or a local AWS server go with its address: alone, they would keep a package
    # from the image that was taken without them.
    local = ("AWS_ENDPOINT_URL", "AWS_CA_BUNDLE") if "AWS_ENDPOINT_URL" in environ else ()
    passed = {name: environ[name] for name in local if name in environ}
    return passed | dict(function.configuration.environment) | credentials | own
