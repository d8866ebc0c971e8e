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
    """Arguments passed to `@function`.

    Attributes:
        name: Name of the function; `None` means the callable's own.
        description: Description of the function; `None` means the first line of the docstring.
    """

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
    """Declare a Lambda function.

    The callable takes the context and the event, and may be `async def`. Annotate the event to have it converted: with
    a type of `pyl.events`, a dataclass, a `TypedDict`, a msgspec `Struct`, an attrs class or a pydantic model. Without
    an annotation it is the decoded JSON. The decorator returns the callable unchanged, so code and tests call it like
    any other.

    Args:
        handler: The callable, when the decorator is used without parentheses.
        name: Name of the function, as in the handler string `functions.<name>`. Default: the callable's name.
        description: Description that AWS shows. Default: the first line of the docstring.

    Returns:
        The callable, or with keyword arguments a decorator.

    Raises:
        TypeError: The decorated object cannot be marked, because it takes no attributes.

    Example:
        ```python
        from pyl import Context, function
        from pyl.events import SQSEvent


        @function(description="Store orders")
        def store(context: Context, event: SQSEvent) -> None:
            for record in event.records:
                print(context.request_id, record.body)
        ```
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
    """Return the arguments of `@function` on this callable, or `None` if it is not decorated."""
    mark = getattr(handler, MARK, None)
    return mark if isinstance(mark, Declaration) else None
