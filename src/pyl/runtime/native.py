"""The program of a native package: prepare the functions, then serve the one that Lambda requests.

A process image is captured between `prepare` and `serve`. So nothing before `serve` reads what differs between
environments: the function's name, the Runtime API's address, the log format. A restored process reads its own.
"""

from __future__ import annotations

import os

from pyl.runtime.handlers.binding import Functions
from pyl.runtime.logging import logs
from pyl.runtime.loop import python_loop
from pyl.runtime.loop.client import RuntimeAPIError
from pyl.runtime.restore import certificates, checkpoint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn

    from pyl.runtime.loop.concurrency import Worker
    from pyl.runtime.loop.python_loop import Server


def prepare() -> Functions:
    """Return the package's functions, none of them loaded yet.

    From here on `logging` and `ssl` are configured as soon as they are imported.
    """
    logs.configure(os.environ)
    certificates.install()
    import functions  # type: ignore[import-not-found]  # the module that the build generates

    return Functions(functions.TABLE)


def serve(functions: Functions, server: type[Server], after_restore: Callable[[], None] | None = None) -> NoReturn:
    """Serve the function that `_HANDLER` names, in the environment as it is now.

    Args:
        functions: The package's functions.
        server: The loop to serve with.
        after_restore: Called first in a process that was restored from an image.
    """
    logs.configure(os.environ)
    worker = _worker()
    if after_restore is not None:
        after_restore()
    python_loop.serve(functions, server=server, worker=worker)


def _worker() -> Worker | None:
    """Become several processes where Lambda sends several events at once; return this one, or `None` if alone."""
    if "AWS_LAMBDA_MAX_CONCURRENCY" not in os.environ:
        return None
    from pyl.runtime.loop import concurrency

    return concurrency.fork_workers(os.environ)


def _server() -> type[Server]:
    """Return the loop in C if the package has it, else the one in Python."""
    try:
        from pyl.runtime import _native  # type: ignore[attr-defined]  # noqa: F401
    except ImportError:
        return python_loop.Server
    from pyl.runtime.loop.native_loop import NativeServer

    return NativeServer


def main() -> NoReturn:
    """Run the program."""
    try:
        functions = prepare()
        server = _server()  # before the image is taken, so that the image has the loop
        after_restore = checkpoint.checkpoint(functions)
    except RuntimeAPIError as error:  # of a restored process, which serves from within the checkpoint
        python_loop.give_up(error)
    except Exception as error:  # noqa: BLE001 - the package is incomplete
        python_loop.fail(error)
    serve(functions, server, after_restore)
