"""The loop in Python: load the function, then take events and post answers until Lambda ends the environment."""

from __future__ import annotations

import os
import sys
import time

from pyl import hooks
from pyl.context import Context
from pyl.json import codec
from pyl.runtime import errors
from pyl.runtime.errors import ErrorReport, Fault
from pyl.runtime.handlers.binding import Functions
from pyl.runtime.logging import logs
from pyl.runtime.loop.client import Client, Invocation, RuntimeAPIError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, MutableMapping
    from typing import Any, NoReturn

    from pyl.runtime.handlers.binding import Binding
    from pyl.runtime.loop.client import Response
    from pyl.runtime.loop.concurrency import Worker
    from pyl.runtime.loop.streaming import Stream

OK = 200
JSON_TYPE, BINARY_TYPE = "application/json", "application/unknown"
"""Content types of answers, as awslambdaric sends them."""

ERROR_TYPE_HEADER = "Lambda-Runtime-Function-Error-Type"
XRAY_CAUSE_HEADER = "Lambda-Runtime-Function-XRay-Error-Cause"
INVOCATION_ID_HEADER = "Lambda-Runtime-Invocation-Id"
TRACE_ID_VARIABLE = "_X_AMZN_TRACE_ID"

RETRY_DELAYS = (0.1, 0.2, 0.4, 0.8)
"""Seconds to wait before each further request of the next invocation, as awslambdaric does on Managed Instances."""


class Streamed(Exception):
    """Not a failure: the result is a stream, to be sent while it is generated.

    Attributes:
        stream: The stream.
    """

    def __init__(self, stream: Stream) -> None:
        super().__init__()
        self.stream = stream


def run(table: Mapping[str, str], environ: MutableMapping[str, str] = os.environ) -> NoReturn:
    """Serve the function that `_HANDLER` names; exit with 1 if it cannot be loaded."""
    logs.configure(environ)
    serve(Functions(table), environ)


def serve(
    functions: Functions,
    environ: MutableMapping[str, str] = os.environ,
    server: type[Server] | None = None,
    worker: Worker | None = None,
) -> NoReturn:
    """Serve the function that `_HANDLER` names; exit with 1 if it cannot be loaded.

    Args:
        functions: The package's functions; some or all may be loaded.
        environ: The environment variables.
        server: Class of the loop. Default: `Server`.
        worker: This process, if it is one of several.
    """
    try:
        client = Client(environ.get("AWS_LAMBDA_RUNTIME_API", ""))
        try:
            binding = functions.choose(environ.get("_HANDLER"))
        except Exception as error:  # noqa: BLE001 - the user's code may raise anything
            _post_init_error(client, errors.describe(error))
            sys.exit(1)
        if hooks.has_before_shutdown():
            from pyl.runtime.loop import shutdown

            shutdown.install(client.address, register=worker is None or worker.is_first)
        if worker is not None:
            worker.report_ready()
        (server or Server)(client, binding).serve()
    except RuntimeAPIError as error:
        if worker is not None:
            worker.report_api_lost()
        give_up(error)


def fail(error: BaseException, environ: Mapping[str, str] = os.environ) -> NoReturn:
    """Post and log why the environment cannot be initialised, and exit with 1."""
    try:
        _post_init_error(Client(environ.get("AWS_LAMBDA_RUNTIME_API", "")), errors.describe(error))
    except RuntimeAPIError as unreachable:
        give_up(unreachable)
    sys.exit(1)


def _post_init_error(client: Client, report: ErrorReport) -> None:
    logs.log_error(report, "")
    logs.flush()
    headers = {"Content-Type": JSON_TYPE, ERROR_TYPE_HEADER: report.header_type()}
    client.post("init/error", codec.encode(report.payload()), headers)


def give_up(error: RuntimeAPIError) -> NoReturn:
    """Log that the Runtime API cannot be reached, and exit with 1."""
    logs.warn(f"cannot go on without the Runtime API: {error}")
    logs.flush()
    sys.exit(1)


class Server:
    """Takes events of one function, and posts its answers."""

    def __init__(self, client: Client, binding: Binding) -> None:
        self._client = client
        self._binding = binding

    def serve(self) -> NoReturn:
        """Serve until the process ends.

        Raises:
            RuntimeAPIError: The Runtime API cannot be reached.
        """
        while True:
            self.serve_one(self._next())

    def serve_one(self, invocation: Invocation) -> None:
        """Answer one event.

        Raises:
            RuntimeAPIError: The Runtime API failed on the answer.
        """
        logs.state.request_id = invocation.request_id
        logs.state.tenant_id = invocation.tenant_id or None
        set_trace_id(invocation.trace_id)
        headers = {"Content-Type": JSON_TYPE, INVOCATION_ID_HEADER: invocation.invocation_id}
        try:
            result = self._binding.call(self._event(invocation), context_of(invocation))
            body = marshal(result, headers)
        except Streamed as streamed:
            stream = streamed.stream
        except Exception as error:  # noqa: BLE001 - the user's code may raise anything
            self._post_error(invocation.request_id, headers, errors.describe(error))
            return
        else:
            logs.flush()
            self._post(f"invocation/{invocation.request_id}/response", body, headers)
            return
        # Outside of the `except`, so that errors of the user's code have no `__context__`.
        self._stream(invocation.request_id, headers, stream)

    def _next(self, first: Callable[[], Response] | None = None) -> Invocation:
        ask = first or self._client.next
        problem = ""
        for delay in (*RETRY_DELAYS, None):
            try:
                response = ask()
            except RuntimeAPIError as error:
                problem = str(error)
            else:
                if response.status == OK:
                    return parse_invocation(response)
                problem = f"it refused the next invocation with {_describe_response(response)}"
                if response.status >= 500:
                    break
            ask = self._client.next
            if delay is not None:
                logs.warn(f"asking the Runtime API again in {delay} s: {problem}")
                time.sleep(delay)
        raise RuntimeAPIError(problem)

    def _event(self, invocation: Invocation) -> Any:
        converter = self._binding.converter
        if converter is not None:
            return converter.from_json(invocation.body)
        content_type = invocation.content_type.partition(";")[0].strip().lower()
        if content_type not in ("", JSON_TYPE):
            return invocation.body
        return decoded(invocation.body)

    def _post_error(self, request_id: str, headers: dict[str, str], report: ErrorReport) -> None:
        logs.log_error(report, request_id)
        logs.flush()
        headers["Content-Type"] = JSON_TYPE
        headers[ERROR_TYPE_HEADER] = report.header_type()
        cause = codec.encode_ascii(report.xray_cause())
        if len(cause) < errors.XRAY_CAUSE_LIMIT:
            headers[XRAY_CAUSE_HEADER] = cause
        body = codec.encode(report.payload(request_id))
        self._post(f"invocation/{request_id}/error", body, headers)

    def _stream(self, request_id: str, headers: dict[str, str], stream: Stream) -> None:
        from pyl.runtime.loop import streaming

        path = f"invocation/{request_id}/response"
        own_headers = [(INVOCATION_ID_HEADER, headers[INVOCATION_ID_HEADER])]
        try:
            outcome = streaming.send(self._client, path, own_headers, stream, request_id)
        except RuntimeAPIError as error:
            logs.warn(f"{path} could not be streamed: {error}")
            return
        if isinstance(outcome, ErrorReport):
            self._post_error(request_id, headers, outcome)
        else:
            self._check_response(path, outcome)

    def _post(self, path: str, body: bytes, headers: dict[str, str]) -> None:
        """Post an answer. If Lambda refuses it, the environment goes on: Lambda reports the error to the caller."""
        try:
            response = self._client.post(path, body, headers)
        except RuntimeAPIError as error:
            logs.warn(f"{path} could not be posted: {error}")
            return
        self._check_response(path, response)

    def _check_response(self, path: str, response: Response) -> None:
        if response.status >= 500:
            msg = f"it answered {_describe_response(response)} to {path}"
            raise RuntimeAPIError(msg)
        if response.status >= 300:
            logs.warn(f"{path} was refused with {_describe_response(response)}")


def _describe_response(response: Response) -> str:
    return f"{response.status} {response.body[:200].decode('utf-8', 'replace')}".strip()


def parse_invocation(response: Response) -> Invocation:
    """Return the invocation in a response of `next`.

    Raises:
        RuntimeAPIError: It has no request id, so it cannot be answered.
    """
    invocation = Invocation(response)
    if not invocation.request_id:
        msg = "the next invocation has no Lambda-Runtime-Aws-Request-Id, so it cannot be answered"
        raise RuntimeAPIError(msg)
    return invocation


def decoded(body: bytes) -> Any:
    """Return the value of an event.

    Raises:
        Fault: It is not JSON.
    """
    try:
        return codec.decode(body)
    except (ValueError, RecursionError) as error:
        msg = f"Unable to unmarshal input: {error}"
        raise Fault(errors.UNMARSHAL_ERROR, msg) from error


def set_trace_id(trace_id: str) -> None:
    """Set the trace header of the current invocation in the variable that X-Ray's SDKs read."""
    if trace_id:
        os.environ[TRACE_ID_VARIABLE] = trace_id
    else:
        os.environ.pop(TRACE_ID_VARIABLE, None)


def context_of(invocation: Invocation) -> Context:
    """Return the context of an invocation.

    Raises:
        Fault: A header of it is not JSON.
    """
    return Context(
        aws_request_id=invocation.request_id,
        deadline_ms=invocation.deadline_ms,
        invoked_function_arn=invocation.function_arn,
        trace_id=invocation.trace_id,
        tenant_id=invocation.tenant_id or None,
        client_context=_json_header(invocation.client_context, "Client Context"),
        identity=_json_header(invocation.identity, "Cognito Identity"),
    )


def _json_header(text: str, name: str) -> dict[str, Any] | None:
    if not text:
        return None
    try:
        value = codec.decode(text.encode())
    except (ValueError, RecursionError) as error:
        msg = f"Unable to parse {name} JSON: {error}"
        raise Fault(errors.LAMBDA_CONTEXT_UNMARSHAL_ERROR, msg) from error
    if value is not None and not isinstance(value, dict):
        msg = f"Unable to parse {name} JSON: it is not an object"
        raise Fault(errors.LAMBDA_CONTEXT_UNMARSHAL_ERROR, msg)
    return value


def marshal(result: Any, headers: dict[str, str]) -> bytes:
    """Return a result as the body of an answer.

    Args:
        result: Result of the handler.
        headers: Headers of the answer; the content type of a binary result is set here.

    Raises:
        Streamed: The result is a stream.
        Fault: It has no form in JSON.
    """
    if isinstance(result, bytes):
        headers["Content-Type"] = BINARY_TYPE
        return result
    try:
        return codec.encode(result)
    except Exception as error:
        from pyl.runtime.loop import streaming

        stream = streaming.stream_of(result)
        if stream is not None:
            raise Streamed(stream) from None
        msg = f"Unable to marshal response: {errors.message_of(error)}"
        raise Fault(errors.MARSHAL_ERROR, msg) from error
