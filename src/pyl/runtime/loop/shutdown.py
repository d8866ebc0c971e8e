"""Runs `@before_shutdown` hooks when Lambda ends the execution environment.

Lambda sends SIGTERM to a runtime only if an extension is registered, and kills all processes 500 ms later. So functions
with such hooks register an internal extension, without events.
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # the C module below `signal`, which imports much more
import os
import sys

from pyl import hooks
from pyl.runtime import errors
from pyl.runtime.handlers import asynchronous
from pyl.runtime.logging import logs
from pyl.runtime.loop.client import Client, RuntimeAPIError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, NoReturn

EXTENSIONS = "/2020-01-01/extension"
NAME = "pyl"
_REGISTRATION = b'{"events":[]}'

_extensions: list[Client] = []
"""Keeps the connection open on which the extension waits for events."""

_previous_handlers: list[Callable[[int, Any], object]] = []
"""The handler of SIGTERM that the function's own code has set, if any."""


def install(address: str, *, register: bool = True) -> None:
    """Let the main thread run the hooks at SIGTERM.

    Must be called before the first event is requested: after that Lambda accepts no registration.

    Args:
        address: `host:port` of the Runtime API.
        register: Whether to register the extension. One process of an environment does.
    """
    if register:
        _register(address)
    previous = _signal.getsignal(_signal.SIGTERM)
    if callable(previous):
        _previous_handlers.append(previous)
    _signal.signal(_signal.SIGTERM, _end)


def _end(number: int, frame: Any) -> NoReturn:
    # Not a closure: the next line drops the interpreter's reference to this function, and a compiled closure needs it.
    _signal.signal(number, _signal.SIG_IGN)  # so that a second signal does not interrupt the hooks
    run_hooks()
    for handler in _previous_handlers:
        handler(number, frame)
    sys.exit(0)


def install_in_thread(address: str) -> None:
    """Let another thread run the hooks at SIGTERM.

    For awslambdaric, whose main thread waits in code that signal handlers do not interrupt.

    Args:
        address: `host:port` of the Runtime API.
    """
    import _thread

    _register(address)
    reading, writing = os.pipe()
    os.set_blocking(writing, False)

    def watch() -> None:
        while os.read(reading, 1) != bytes([_signal.SIGTERM]):
            pass
        run_hooks()
        os._exit(0)

    if _signal.getsignal(_signal.SIGTERM) is _signal.SIG_DFL:
        _signal.signal(_signal.SIGTERM, lambda *_: None)  # the default action would end the process
    _signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    _thread.start_new_thread(watch, ())


def run_hooks() -> None:
    """Run every hook, the last registered first. If one fails, the error is logged and the others still run."""
    logs.state.request_id = ""
    for hook in hooks.before_shutdown_hooks():
        try:
            result: Any = hook()
            if hasattr(result, "__await__"):
                asynchronous.run(result)
        except Exception as error:  # noqa: BLE001 - the user's code may raise anything
            logs.log_error(errors.describe(error), "")
    logs.flush()


def _register(address: str) -> None:
    """Register the extension. A refusal is only logged, because the function works without it."""
    try:
        client = Client(address)
        _request_next_event(client, _request_identifier(client))
    except RuntimeAPIError as error:
        logs.warn(f"no extension could be registered, so Lambda will not announce the end to hooks: {error}")
        return
    _extensions.append(client)


def _request_identifier(client: Client) -> str:
    """Register the extension, and return its identifier."""
    headers = (
        ("Lambda-Extension-Name", NAME),
        ("Content-Type", "application/json"),
        ("Content-Length", str(len(_REGISTRATION))),
    )
    response = client.call(client.head("POST", f"{EXTENSIONS}/register", headers), _REGISTRATION)
    identifier = response.headers.get("lambda-extension-identifier", "")
    if not identifier:
        body = response.body[:200].decode("utf-8", "replace")
        msg = f"it answered {response.status} {body}"
        raise RuntimeAPIError(msg)
    return identifier


def _request_next_event(client: Client, identifier: str) -> None:
    """Request the next event, as every extension must. None will come, so nothing waits for the response."""
    client.send(client.head("GET", f"{EXTENSIONS}/event/next", [("Lambda-Extension-Identifier", identifier)]))
