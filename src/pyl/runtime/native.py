"""The program of a native package: load the package's functions, then serve the one that Lambda asks for.

A process image is taken between `prepare` and `serve`, so nothing before `serve` looks at the environment
of the invocation: the function's name, the Runtime API's address, the log format. A process restored from
an image gets its own.
"""

from __future__ import annotations

import os

from pyl.runtime.handlers.resolve import Functions
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

    `logging` and `ssl` are watched from here on: they are set up when anything imports them.
    """
    logs.configure(os.environ)
    certificates.install()
    import functions  # type: ignore[import-not-found]  # the module that the build generates

    return Functions(functions.TABLE)


def serve(functions: Functions, server: type[Server], mend: Callable[[], None] | None = None) -> NoReturn:
    """Serve the function that `_HANDLER` names, in the environment as it is now; first `mend` what an image left."""
    logs.configure(os.environ)
    worker = _worker()
    if mend is not None:
        mend()
    python_loop.serve(functions, server=server, worker=worker)


def _worker() -> Worker | None:
    """This process, as one of several where Lambda wants several."""
    if "AWS_LAMBDA_MAX_CONCURRENCY" not in os.environ:
        return None
    from pyl.runtime.loop import concurrency

    return concurrency.spread(os.environ)


def _server() -> type[Server]:
    """The loop in C where the build has put it, else the one in Python."""
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
        server = _server()  # imported before the image is taken
        mend = checkpoint.checkpoint(functions)
    except RuntimeAPIError as error:  # of a restored process, which serves from within the checkpoint
        python_loop.give_up(error)
    except Exception as error:  # noqa: BLE001 - a package that is not whole
        python_loop.fail(error)
    serve(functions, server, mend)
