"""What a handler learns about its invocation and its function, under pyl's names and under AWS's.

The surface is that of awslambdaric 4.2's `LambdaContext`, which Powertools and others rely on, with the
request's deadline and trace id besides. An instance made by a test needs no argument at all.
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
"""Fields of `w3c` in the client context that `Context.w3c()` passes on."""


class _Fields:
    """An object with a fixed set of attributes, each `None` where its JSON object has no such key."""

    __slots__: tuple[str, ...] = ()

    def __init__(self, values: Mapping[str, Any] | None = None) -> None:
        for name in self.__slots__:
            setattr(self, name, values.get(name) if values else None)

    def __repr__(self) -> str:
        fields = ",".join(f"{name}={getattr(self, name)}" for name in self.__slots__)
        return f"{type(self).__name__}([{fields}])"


class Client(_Fields):
    """The application that called, as the AWS Mobile SDK describes it."""

    __slots__ = (  # noqa: RUF023 - in the order in which AWS's own shows them
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
    """What the caller sent as its client context."""

    __slots__ = ("custom", "env", "client")  # noqa: RUF023 - as above

    custom: Any
    env: Any
    client: Client | None

    def __init__(self, values: Mapping[str, Any] | None = None) -> None:
        super().__init__(values)
        described: Any = self.client
        self.client = None if described is None else Client(described)


class CognitoIdentity(_Fields):
    """The Amazon Cognito identity that called; both ids are `None` when there was none."""

    __slots__ = ("cognito_identity_id", "cognito_identity_pool_id")

    cognito_identity_id: str | None
    cognito_identity_pool_id: str | None

    def __init__(self, values: Mapping[str, Any] | None = None) -> None:
        super().__init__()
        if values is not None:
            self.cognito_identity_id = values.get("cognitoIdentityId")
            self.cognito_identity_pool_id = values.get("cognitoIdentityPoolId")


class Context:
    """The context of one invocation.

    Every argument may be left out; what describes the function is then read from Lambda's environment
    variables. `client_context` and `identity` take the JSON objects that Lambda sends, or objects made from
    them.
    """

    VARIABLES = {  # noqa: RUF012 - constant; `typing` costs too much here
        "function_name": "AWS_LAMBDA_FUNCTION_NAME",
        "function_version": "AWS_LAMBDA_FUNCTION_VERSION",
        "memory_limit_in_mb": "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "log_group_name": "AWS_LAMBDA_LOG_GROUP_NAME",
        "log_stream_name": "AWS_LAMBDA_LOG_STREAM_NAME",
    }
    """Attributes that describe the function, and where Lambda tells them."""

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
        environment = os.environ.get
        self.aws_request_id = aws_request_id
        """The id of this request."""
        self.deadline_ms = deadline_ms
        """When Lambda ends the invocation, in milliseconds since the epoch; 0 when Lambda did not say."""
        self.invoked_function_arn = invoked_function_arn
        """The ARN that the caller used, with its version or alias."""
        self.trace_id = trace_id
        """The X-Ray trace header of this request, empty without one."""
        self.function_name = function_name or environment(self.VARIABLES["function_name"])
        self.function_version = function_version or environment(self.VARIABLES["function_version"])
        self.memory_limit_in_mb: str | None = (
            environment(self.VARIABLES["memory_limit_in_mb"]) if memory_limit_in_mb is None else str(memory_limit_in_mb)
        )
        """A string, as on AWS's own runtimes."""
        self.log_group_name = log_group_name or environment(self.VARIABLES["log_group_name"])
        self.log_stream_name = log_stream_name or environment(self.VARIABLES["log_stream_name"])
        self.tenant_id = tenant_id
        self._w3c: dict[str, str] = {}
        if client_context is None or isinstance(client_context, ClientContext):
            self.client_context = client_context
        else:
            self._w3c = _w3c(client_context)
            self.client_context = ClientContext(client_context)
        self.identity = identity if isinstance(identity, CognitoIdentity) else CognitoIdentity(identity)

    @property
    def request_id(self) -> str:
        """The id of this request; AWS calls it `aws_request_id`."""
        return self.aws_request_id

    @property
    def remaining_time_ms(self) -> int:
        """Milliseconds until Lambda ends the invocation, never below 0; 0 when the deadline is not known."""
        return max(0, self.deadline_ms - int(time.time() * 1000))

    def get_remaining_time_in_millis(self) -> int:
        """Return `remaining_time_ms`, under AWS's name."""
        return self.remaining_time_ms

    def w3c(self) -> dict[str, str]:
        """Return the W3C trace context sent with the client context: traceparent, tracestate, baggage."""
        return dict(self._w3c)

    def log(self, message: object) -> None:
        """Write a message to the function's log as it is: no level, no time, no line end."""
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
