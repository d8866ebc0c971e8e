"""The exceptions that pyl raises, and the exit codes of the command line for them.

PylError
├── FunctionFailed         1  the invoked function reported an error, or a comparison failed
├── UsageError             2  a wrong option or argument
│   └── ConfigurationError 2  `pyproject.toml` or the project's code is invalid
├── BuildError             3  a package could not be built
├── EngineError            4  the container engine or this platform lacks something
└── AWSError               5  AWS refused or could not be reached

Each has a `message` (what failed, and where) and may have a `hint` (what to do). `pyl.cli` catches them in one place.
"""

from __future__ import annotations

from typing import ClassVar


class PylError(Exception):
    """Base class of all errors that pyl raises on purpose.

    Attributes:
        message: What failed, and where.
        hint: What to do about it.
        exit_code: Exit code of the command line.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class FunctionFailed(PylError):
    """The invoked function reported an error, or a comparison failed."""

    exit_code = 1


class UsageError(PylError):
    """An option or argument is wrong, or does not fit the others."""

    exit_code = 2


class ConfigurationError(UsageError):
    """The project's configuration or code is invalid."""

    exit_code = 2


class BuildError(PylError):
    """A package could not be built. An earlier package at the same path is unchanged."""

    exit_code = 3


class EngineError(PylError):
    """The container engine or this platform lacks something that the task needs."""

    exit_code = 4


class AWSError(PylError):
    """A call to AWS failed."""

    exit_code = 5
