"""Functions that tests call in a local environment."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from pyl.emulator.environment import Environment
    from pyl.emulator.http_responses import HTTPResponse
    from pyl.emulator.invocation import Outcome
    from pyl.emulator.launch import Unpacked
    from pyl.project.model import Function, Project


class FunctionError(Exception):
    """The function reported an error, or its environment failed."""

    def __init__(self, outcome: Outcome) -> None:
        self.payload = outcome.payload
        """The error, as JSON."""
        try:
            value = json.loads(outcome.payload)
        except ValueError:
            value = {}
        self.error_type: str = value.get("errorType") or outcome.error or ""
        """The exception's class, or an error type of Lambda such as `Sandbox.Timedout` or `Runtime.ExitError`."""
        self.message: str = value.get("errorMessage", "")
        self.trace: list[str] = value.get("stackTrace") or []
        super().__init__("\n".join([f"{self.error_type}: {self.message}", *(line.rstrip() for line in self.trace)]))


class LocalFunction:
    """A function to call. The first call starts its environment, which stays warm for later ones. A context manager."""

    def __init__(self, project: Project, function: Function, package: Unpacked) -> None:
        from pyl.emulator.single_environment import create_environment

        self.function = function
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed on exit
        self._start: Callable[[], Environment] = lambda: create_environment(project, function, package, logs=self._log)
        self._running: Environment | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.stop()
        self._log.close()

    def __call__(self, event: Any = None, *, client_context: Mapping[str, Any] | None = None) -> Any:
        """Call the function and return its result, decoded from JSON.

        Args:
            event: The event: a value that is encoded as JSON, or bytes.
            client_context: The client context.

        Raises:
            FunctionError: The function reported an error, or its environment failed.
        """
        outcome = self.invoke(event, client_context=client_context)
        if outcome.error:
            raise FunctionError(outcome)
        return json.loads(outcome.payload) if outcome.payload else None

    def invoke(self, event: Any = None, *, client_context: Mapping[str, Any] | None = None) -> Outcome:
        """Call the function and return its outcome: `payload`, `error`, `duration`, `init`, `max_memory`.

        Errors do not raise an exception here. The arguments are those of a plain call.
        """
        if self._running is not None and not self._running.usable:
            self.stop()
        if self._running is None:
            self._running = self._start().__enter__()
        text = event if isinstance(event, bytes) else json.dumps(event).encode()
        return self._running.invoke(text, client_context=json.dumps(client_context) if client_context else None)

    def request(
        self, path: str = "/", *, method: str = "GET", headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> HTTPResponse:
        """Send an HTTP request as a function URL does, and return the response: `status`, `headers`, `body`.

        Args:
            path: The path, with its query.
            method: The HTTP method.
            headers: Headers of the request, besides `host`.
            body: The body.

        Raises:
            FunctionError: The function reported an error, or its environment failed.
            BadResponse: The function's response cannot be sent over HTTP.
        """
        from pyl.emulator.http_events import HTTPRequest, url_event
        from pyl.emulator.http_responses import parse_whole_response

        all_headers = {"host": "localhost", **{name.lower(): text for name, text in (headers or {}).items()}}
        raw_path, _, query = path.partition("?")
        request = HTTPRequest(method=method, path=raw_path, query=query, headers=tuple(all_headers.items()), body=body)
        outcome = self.invoke(url_event(request, api=self.function.name))
        if outcome.error:
            raise FunctionError(outcome)
        return parse_whole_response(outcome.payload, outcome.content_type)

    @property
    def log(self) -> str:
        """What the function has logged so far, as text."""
        self._log.seek(0)
        return self._log.read().decode("utf-8", "replace")

    def stop(self) -> None:
        """End the environment, so that the next call is a cold start."""
        running, self._running = self._running, None
        if running is not None:
            running.__exit__()
