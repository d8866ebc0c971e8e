"""The decorator that declares a Python callable to be a Lambda function."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar, overload

    Handler = TypeVar("Handler", bound=Callable[..., Any])

MARK = "__pyl_function__"
"""The attribute that holds a decorated callable's `Declaration`."""


class Declaration:
    """What `@function` was told."""

    __slots__ = ("description", "name")

    def __init__(self, name: str | None, description: str | None) -> None:
        self.name = name
        self.description = description

    def __repr__(self) -> str:
        return f"Declaration(name={self.name!r}, description={self.description!r})"


if TYPE_CHECKING:

    @overload
    def function(handler: Handler, /) -> Handler: ...

    @overload
    def function(*, name: str | None = None, description: str | None = None) -> Callable[[Handler], Handler]: ...


def function(
    handler: Handler | None = None, /, *, name: str | None = None, description: str | None = None
) -> Handler | Callable[[Handler], Handler]:
    """Declare a Lambda function: `@function`, or `@function(name="…", description="…")`.

    The callable is returned as it is: code and tests call it like any other. Its parameters are the context
    and the event; annotate the event to have it converted. `name` is the function's in `functions.<name>`
    (the callable's own by default), `description` what AWS shows (by default the first line of the
    docstring).

    Raises:
        TypeError: what is decorated is not callable, or cannot be marked.
    """

    def mark(handler: Handler) -> Handler:
        try:
            setattr(handler, MARK, Declaration(name, description))
        except AttributeError as error:
            msg = f"@function cannot mark {handler!r}: decorate a function defined with `def`"
            raise TypeError(msg) from error
        return handler

    return mark if handler is None else mark(handler)


def declaration(handler: object) -> Declaration | None:
    """Return what `@function` was told of this callable, `None` if it is not decorated."""
    found = getattr(handler, MARK, None)
    return found if isinstance(found, Declaration) else None
