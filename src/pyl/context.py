"""The context object that handlers get with each event.

It has the attributes of awslambdaric 4.2's `LambdaContext`, which Powertools and others rely on, and in addition the
request's deadline and trace header. See https://docs.aws.amazon.com/lambda/latest/dg/python-context.html.
"""

from __future__ import annotations

import os
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

W3C_FIELDS = ("traceparent", "tracestate", "baggage")
"""Fields of `w3c` in the client context that `Context.w3c()` returns."""


class _Fields:
    """An object with a fixed set of attributes; those that the JSON object does not have are `None`."""

    __slots__: tuple[str, ...] = ()

    def __init__(self, values: Mapping[str, Any] | None = None) -> None:
        for name in self.__slots__:
            setattr(self, name, values.get(name) if values else None)

    def __repr__(self) -> str:
        fields = ",".join(f"{name}={getattr(self, name)}" for name in self.__slots__)
        return f"{type(self).__name__}([{fields}])"


class Client(_Fields):
    """The mobile application that invoked the function, as the AWS Mobile SDK describes it.

    Attributes:
        installation_id: Id of the installation.
        app_title: Title of the application.
        app_version_name: Version of the application, as a name.
        app_version_code: Version of the application, as a code.
        app_package_name: Package name of the application.
    """

    __slots__ = (  # noqa: RUF023 - in the order of awslambdaric's `repr`
        "installation_id",
        "app_title",
        "app_version_name",
        "app_version_code",
        "app_package_name",
    )

    installation_id: str | None
    app_title: str | None
    app_version_name: str | None
    app_version_code: str | None
    app_package_name: str | None


class ClientContext(_Fields):
    """The client context that the caller of the function sent.

    Attributes:
        custom: Values that the application set.
        env: Environment values of the AWS Mobile SDK.
        client: The application, or `None`.
    """

    __slots__ = ("custom", "env", "client")  # noqa: RUF023 - as above

    custom: Any
    env: Any
    client: Client | None

    def __init__(self, values: Mapping[str, Any] | None = None) -> None:
        super().__init__(values)
        client_fields: Any = self.client
        self.client = None if client_fields is None else Client(client_fields)


class CognitoIdentity(_Fields):
    """The Amazon Cognito identity that authorized the request.

    Attributes:
        cognito_identity_id: Id of the identity; `None` without one.
        cognito_identity_pool_id: Id of its identity pool; `None` without one.
    """

    __slots__ = ("cognito_identity_id", "cognito_identity_pool_id")

    cognito_identity_id: str | None
    cognito_identity_pool_id: str | None

    def __init__(self, values: Mapping[str, Any] | None = None) -> None:
        super().__init__()
        if values is not None:
            self.cognito_identity_id = values.get("cognitoIdentityId")
            self.cognito_identity_pool_id = values.get("cognitoIdentityPoolId")


class Context:
    """The invocation, the function and the execution environment.

    pyl passes one to each call of a handler. In a test, create one with the arguments that matter, or with none: the
    attributes that describe the function are then read from Lambda's environment variables.

    Example:
        ```python
        context = Context(aws_request_id="test", deadline_ms=int(time.time() * 1000) + 3000)
        assert handler(context, event) == {"ok": True}
        ```
    """

    VARIABLES = {  # noqa: RUF012 - constant; `typing` costs too much here
        "function_name": "AWS_LAMBDA_FUNCTION_NAME",
        "function_version": "AWS_LAMBDA_FUNCTION_VERSION",
        "memory_limit_in_mb": "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "log_group_name": "AWS_LAMBDA_LOG_GROUP_NAME",
        "log_stream_name": "AWS_LAMBDA_LOG_STREAM_NAME",
    }
    """Attributes that describe the function, and the environment variables that they are read from."""

    def __init__(
        self,
        *,
        aws_request_id: str = "",
        deadline_ms: int = 0,
        invoked_function_arn: str = "",
        trace_id: str = "",
        function_name: str | None = None,
        function_version: str | None = None,
        memory_limit_in_mb: str | int | None = None,
        log_group_name: str | None = None,
        log_stream_name: str | None = None,
        tenant_id: str | None = None,
        client_context: Mapping[str, Any] | ClientContext | None = None,
        identity: Mapping[str, Any] | CognitoIdentity | None = None,
    ) -> None:
        """Create a context.

        Args:
            aws_request_id: Id of the request.
            deadline_ms: When Lambda ends the invocation, in milliseconds since the epoch; 0 if unknown.
            invoked_function_arn: ARN that the caller used, with its version or alias.
            trace_id: X-Ray trace header of the request.
            function_name: Name of the function. Default: from the environment, as for the next four.
            function_version: Version of the function, `$LATEST` if unpublished.
            memory_limit_in_mb: Memory of the function in MB.
            log_group_name: CloudWatch log group.
            log_stream_name: CloudWatch log stream of this execution environment.
            tenant_id: Tenant of the request, for functions with tenant isolation.
            client_context: Client context: the decoded JSON object that Lambda sends, or an object.
            identity: Cognito identity: the decoded JSON object that Lambda sends, or an object.
        """
        environment = os.environ.get
        self.aws_request_id = aws_request_id
        """Id of the request."""
        self.deadline_ms = deadline_ms
        """When Lambda ends the invocation, in milliseconds since the epoch; 0 when Lambda did not say."""
        self.invoked_function_arn = invoked_function_arn
        """ARN that the caller used, with its version or alias."""
        self.trace_id = trace_id
        """X-Ray trace header of the request; empty without one."""
        self.function_name = function_name or environment(self.VARIABLES["function_name"])
        """Name of the function."""
        self.function_version = function_version or environment(self.VARIABLES["function_version"])
        """Version of the function, `$LATEST` if unpublished."""
        self.memory_limit_in_mb: str | None = (
            environment(self.VARIABLES["memory_limit_in_mb"]) if memory_limit_in_mb is None else str(memory_limit_in_mb)
        )
        """Memory of the function in MB. A string, as in AWS's own runtimes."""
        self.log_group_name = log_group_name or environment(self.VARIABLES["log_group_name"])
        """CloudWatch log group of the function."""
        self.log_stream_name = log_stream_name or environment(self.VARIABLES["log_stream_name"])
        """CloudWatch log stream of this execution environment."""
        self.tenant_id = tenant_id
        """Tenant of the request; `None` for functions without tenant isolation."""
        self._w3c: dict[str, str] = {}
        if client_context is None or isinstance(client_context, ClientContext):
            self.client_context = client_context
        else:
            self._w3c = _w3c(client_context)
            self.client_context = ClientContext(client_context)
        self.identity = identity if isinstance(identity, CognitoIdentity) else CognitoIdentity(identity)

    @property
    def request_id(self) -> str:
        """Id of the request; AWS's name is `aws_request_id`."""
        return self.aws_request_id

    @property
    def remaining_time_ms(self) -> int:
        """Milliseconds until Lambda ends the invocation; 0 when they are over or the deadline is unknown."""
        return max(0, self.deadline_ms - int(time.time() * 1000))

    def get_remaining_time_in_millis(self) -> int:
        """Return `remaining_time_ms`; this is AWS's name for it."""
        return self.remaining_time_ms

    def w3c(self) -> dict[str, str]:
        """Return the W3C trace context in the client context: `traceparent`, `tracestate`, `baggage`, those sent."""
        return dict(self._w3c)

    def log(self, message: object) -> None:
        """Write a message to the function's log unchanged: without level, time or line end."""
        logging = sys.modules.get("logging")
        handlers = logging.getLogger().handlers if logging is not None else ()
        for handler in handlers:
            sink = getattr(handler, "log_sink", None)
            if sink is not None:
                sink.log(str(message))
                return
        sys.stdout.write(str(message))

    def __repr__(self) -> str:
        names = (
            "aws_request_id",
            "log_group_name",
            "log_stream_name",
            "function_name",
            "memory_limit_in_mb",
            "function_version",
            "invoked_function_arn",
            "client_context",
            "identity",
            "tenant_id",
        )
        fields = ",".join(f"{name}={getattr(self, name)}" for name in names)
        return f"{type(self).__name__}([{fields}])"


def _w3c(client_context: Mapping[str, Any]) -> dict[str, str]:
    fields = client_context.get("w3c")
    if not isinstance(fields, dict):
        return {}
    return {name: fields[name] for name in W3C_FIELDS if isinstance(fields.get(name), str)}
