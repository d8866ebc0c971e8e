"""The program of a native package: load the package's functions, then serve the one that Lambda asks for.

A process image is taken between `prepare` and `serve`, so nothing before `serve` looks at the environment
of the invocation: the function's name, the Runtime API's address, the log format. A process restored from
an image gets its own.
"""

from __future__ import annotations

import os

from pyl.runtime import image, logs, loop
from pyl.runtime.resolve import Functions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn


def prepare() -> Functions:
    """Return the package's functions, none of them loaded yet.

    `logging` is watched from here on: it is set up when anything imports it.
    """
    logs.configure(os.environ)
    import functions  # type: ignore[import-not-found]  # the module that the build generates

    return Functions(functions.TABLE)


def serve(functions: Functions) -> NoReturn:
    """Serve the function that `_HANDLER` names, in the environment as it is now."""
    logs.configure(os.environ)
    loop.serve(functions)


def main() -> NoReturn:
    """Run the program."""
    try:
        functions = prepare()
    except Exception as error:  # noqa: BLE001 - a package that is not whole
        loop.fail(error)
    image.checkpoint(functions)
    serve(functions)
