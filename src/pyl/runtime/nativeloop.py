"""The loop of native packages: framing in C (`_native`), the handler and whatever is rare in Python."""

from __future__ import annotations

from pyl.runtime import errors, logs, loop
from pyl.runtime.client import Invocation, Response, RuntimeAPIError
from pyl.runtime.errors import Streamed
from pyl.runtime.loop import Server

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, NoReturn


class NativeServer(Server):
    """Serves as `Server` does; one process runs one of them."""

    _disconnect: Callable[[], None]

    def serve(self) -> NoReturn:
        """Serve until the process ends."""
        from pyl.runtime import _native  # type: ignore[attr-defined]  # made by the native build

        self._disconnect = _native.disconnect
        _native.serve(self._client.address, self._answer, self._fall_back, self._post_again, self._refused)
        super().serve()  # an address that the C loop leaves to Python

    def _answer(
        self,
        request_id: str,
        deadline_ms: int,
        function_arn: str,
        trace_id: str,
        client_context: str,
        identity: str,
        tenant_id: str,
        invocation_id: str,
        content_type: str,
        body: bytes,
    ) -> tuple[bytes, str] | None:
        """The answer to one event and its content type; None when an error has been posted instead."""
        invocation: Any = Invocation.__new__(Invocation)
        invocation.request_id = request_id
        invocation.deadline_ms = deadline_ms
        invocation.function_arn = function_arn
        invocation.trace_id = trace_id
        invocation.client_context = client_context
        invocation.identity = identity
        invocation.tenant_id = tenant_id
        invocation.invocation_id = invocation_id
        invocation.content_type = content_type
        invocation.body = body
        logs.state.request_id = request_id
        logs.state.tenant_id = tenant_id or None
        loop.set_trace_id(trace_id)
        headers = {"Content-Type": loop.JSON_TYPE}
        try:
            result = self._binding.call(self._event(invocation), loop.context_of(invocation))
            answer = loop.marshal(result, headers)
        except Streamed as streamed:
            stream = streamed.stream
        except Exception as error:  # noqa: BLE001 - the user's code may raise anything
            headers[loop.INVOCATION_ID_HEADER] = invocation_id
            self._disconnect()  # one connection at a time: what serves the Runtime API may know no more
            self._post_error(invocation, headers, errors.report(error))
            self._client.close()
            return None
        else:
            logs.flush()
            return answer, headers["Content-Type"]
        headers[loop.INVOCATION_ID_HEADER] = invocation_id
        self._disconnect()
        self._stream(invocation, headers, stream)
        self._client.close()
        return None

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
            self._judge(path, self._client.take_over(descriptor, received))
        else:
            headers = {"Content-Type": content_type, loop.INVOCATION_ID_HEADER: invocation_id}
            self._post(path, body, headers)
        self._client.close()

    def _refused(self, request_id: str, status: int, body: bytes) -> None:
        self._judge(f"invocation/{request_id}/response", Response(status, {}, body))
