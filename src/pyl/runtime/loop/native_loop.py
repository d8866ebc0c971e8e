"""The loop of native packages: HTTP, JSON and the call in C (`_native`), rare cases in Python."""

from __future__ import annotations

import os

from pyl.context import CognitoIdentity, Context
from pyl.runtime import errors
from pyl.runtime.logging import logs
from pyl.runtime.loop import python_loop
from pyl.runtime.loop.client import Client, Invocation, Response, RuntimeAPIError
from pyl.runtime.loop.python_loop import Server, Streamed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any, NoReturn

    from pyl.runtime.handlers.binding import Binding


class NativeServer(Server):
    """A `Server` that serves in C; one process runs one of them.

    It may be made before an image is taken, so it reads the Runtime API's address when it first needs its own client.
    """

    def __init__(self, client: Client | None, binding: Binding) -> None:
        self._late_client = client
        self._binding = binding

    @property
    def _client(self) -> Client:  # type: ignore[override]  # made when it is first needed
        if self._late_client is None:
            self._late_client = Client(os.environ.get("AWS_LAMBDA_RUNTIME_API", ""))
        return self._late_client

    def serve(self) -> NoReturn:
        """Serve until the process ends."""
        from pyl.runtime import _native  # type: ignore[attr-defined]  # made by the native build

        _native.serve(self._client.address, self.plan(_native))
        super().serve()  # an address that the C loop leaves to Python

    def plan(self, native: ModuleType) -> tuple[Any, ...]:
        """Return what the C loop needs to call this function; `plan.h` describes the fields."""
        binding = self._binding
        plan: tuple[Any, ...] = native.call_plan(
            handler=binding.handler,
            event_first=binding.event_first,
            event_from_json=binding.converter.from_json if binding.converter is not None else None,
            context_type=Context,
            context_template={**vars(Context()), **dict.fromkeys(Context.VARIABLES)},
            context_variables=Context.VARIABLES,
            identity_type=CognitoIdentity,
            log_state=logs.state,
            environ=os.environ,
            decode=python_loop.decoded,
            make_context=_make_context,
            finish=self._finish,
            post_error=self._failed,
            fall_back=self._fall_back,
            post_again=self._post_again,
            refused=self._refused,
        )
        return plan

    def _finish(self, result: Any, request_id: str, invocation_id: str) -> tuple[bytes, str] | None:
        """Return the answer for a result that is more than plain JSON; None when it, or an error, has been sent."""
        headers = {"Content-Type": python_loop.JSON_TYPE}
        try:
            return python_loop.marshal(self._binding.settle(result), headers), headers["Content-Type"]
        except Streamed as streamed:
            stream = streamed.stream
        except Exception as error:  # noqa: BLE001 - the user's code may raise anything
            self._failed(error, request_id, invocation_id)
            return None
        headers[python_loop.INVOCATION_ID_HEADER] = invocation_id
        _disconnect()
        self._stream(request_id, headers, stream)
        self._client.close()
        return None

    def _failed(self, error: Exception, request_id: str, invocation_id: str) -> None:
        _disconnect()  # one connection at a time: what serves the Runtime API may know no more
        self._post_error(request_id, {python_loop.INVOCATION_ID_HEADER: invocation_id}, errors.describe(error))
        self._client.close()

    def _fall_back(self, descriptor: int, received: bytes) -> None:
        """Answer an event whose response the C client could not read; without a descriptor, ask again."""

        def first() -> Response:
            if descriptor < 0:
                msg = "the connection was closed before the response was complete"
                raise RuntimeAPIError(msg)
            return self._client.take_over(descriptor, received)

        self.serve_one(self._next(first))
        self._client.close()

    def _post_again(
        self, request_id: str, invocation_id: str, body: bytes, content_type: str, descriptor: int, received: bytes
    ) -> None:
        """Read what the C client could not, or, without a descriptor, post again."""
        path = f"invocation/{request_id}/response"
        if descriptor >= 0:
            self._check_response(path, self._client.take_over(descriptor, received))
        else:
            headers = {"Content-Type": content_type, python_loop.INVOCATION_ID_HEADER: invocation_id}
            self._post(path, body, headers)
        self._client.close()

    def _refused(self, request_id: str, status: int, body: bytes) -> None:
        self._check_response(f"invocation/{request_id}/response", Response(status, {}, body))


def _disconnect() -> None:
    from pyl.runtime import _native  # type: ignore[attr-defined]

    _native.disconnect()


def _make_context(
    request_id: str,
    deadline_ms: int,
    function_arn: str,
    trace_id: str,
    client_context: str,
    identity: str,
    tenant_id: str | None,
) -> Context:
    """Return the context of an invocation some of whose headers hold JSON."""
    invocation: Any = Invocation.__new__(Invocation)
    invocation.request_id = request_id
    invocation.deadline_ms = deadline_ms
    invocation.function_arn = function_arn
    invocation.trace_id = trace_id
    invocation.client_context = client_context
    invocation.identity = identity
    invocation.tenant_id = tenant_id or ""
    return python_loop.context_of(invocation)
