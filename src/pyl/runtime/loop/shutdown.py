"""Runs `@before_shutdown` hooks when Lambda ends the environment.

Lambda sends SIGTERM to a runtime only where an extension is registered; 500 ms later it kills what is left. So the
runtime registers an internal extension, one without events, in functions that have such hooks and in no other.
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
"""Holds the connection on which Lambda sees the extension wait."""

_previous: list[Callable[[int, Any], object]] = []
"""Holds the handler of SIGTERM that the function's own code has set."""


def prepare(address: str, *, register: bool = True) -> None:
    """See to it that the hooks run, in the main thread; `address` is the Runtime API's.

    Must be called before the first event is asked for: that ends the phase in which extensions may register.
    """
    if register:
        _register(address)
    previous = _signal.getsignal(_signal.SIGTERM)
    if callable(previous):
        _previous.append(previous)
    _signal.signal(_signal.SIGTERM, _end)


def _end(number: int, frame: Any) -> NoReturn:
    # No closure: the next line drops the interpreter's reference to this function, on which a compiled one would lean.
    _signal.signal(number, _signal.SIG_IGN)  # the hooks are not to be interrupted by the next one
    run_hooks()
    for handler in _previous:
        handler(number, frame)
    sys.exit(0)


def prepare_beside(address: str) -> None:
    """As `prepare`, where the main thread waits in code that no signal handler interrupts, as awslambdaric's does."""
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
        _signal.signal(_signal.SIGTERM, lambda *_: None)  # the kernel's own answer would end the process
    _signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    _thread.start_new_thread(watch, ())


def run_hooks() -> None:
    """Run every hook, the last registered first. One that fails is logged, and the others run."""
    logs.state.request_id = ""
    for hook in hooks.before_shutdown_hooks():
        try:
            result: Any = hook()
            if hasattr(result, "__await__"):
                asynchronous.run(result)
        except Exception as error:  # noqa: BLE001 - the user's code may raise anything
            logs.report(errors.report(error), "")
    logs.flush()


def _register(address: str) -> None:
    """Register the extension. A refusal is logged: the function works without."""
    try:
        client = Client(address)
        _wait_for_events(client, _identifier(client))
    except RuntimeAPIError as error:
        logs.warn(f"no extension could be registered, so Lambda will not announce the end to hooks: {error}")
        return
    _extensions.append(client)


def _identifier(client: Client) -> str:
    head = (
        f"POST {EXTENSIONS}/register{client.request_tail}Lambda-Extension-Name: {NAME}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(_REGISTRATION)}\r\n\r\n"
    )
    response = client.call(head.encode(), _REGISTRATION)
    identifier = response.headers.get("lambda-extension-identifier", "")
    if not identifier:
        told = response.body[:200].decode("utf-8", "replace")
        msg = f"it answered {response.status} {told}"
        raise RuntimeAPIError(msg)
    return identifier


def _wait_for_events(client: Client, identifier: str) -> None:
    """Ask for the next event, as Lambda wants it of every extension. There is none, so nobody waits for the answer."""
    head = f"GET {EXTENSIONS}/event/next{client.request_tail}Lambda-Extension-Identifier: {identifier}\r\n\r\n"
    client.send(head.encode())
