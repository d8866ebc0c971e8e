"""The exceptions that pyl raises, and the exit code that each ends the command line with.

PylError
├── FunctionFailed         1  the invoked function reported an error, or a comparison failed
├── UsageError             2  a wrong option or argument
│   └── ConfigurationError 2  `pyproject.toml` or the project's code asks for something that cannot be
├── BuildError             3  a package could not be made
├── EngineError            4  the container engine or this platform cannot do what was asked
└── AWSError               5  AWS refused or could not be reached

Each carries `message` (what failed, and where), and `hint` (what to do). They are caught once, in `pyl.cli`.
"""

from __future__ import annotations

from typing import ClassVar


class PylError(Exception):
    """Root of everything that pyl raises on purpose."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class FunctionFailed(PylError):
    """The invoked function answered with an error, or a comparison did not hold."""

    exit_code = 1


class UsageError(PylError):
    """The command was called with options that do not fit."""

    exit_code = 2


class ConfigurationError(UsageError):
    """The project's configuration or code is not what pyl can work with."""

    exit_code = 2


class BuildError(PylError):
    """A package could not be made; an earlier one at the same place is untouched."""

    exit_code = 3


class EngineError(PylError):
    """The container engine or the platform cannot do what was asked."""

    exit_code = 4


class AWSError(PylError):
    """A call to AWS failed."""

    exit_code = 5
