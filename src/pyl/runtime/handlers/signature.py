"""Decides which parameter of a handler receives the context and which the event.

`pyl check` applies these rules to syntax trees, and the runtime to live functions. So they work on plain descriptions
of parameters, and the module imports nothing. The first rule that applies decides:

1. A parameter that is annotated as the context is the context.
2. An adopted function is called as AWS calls it: `(event, context)`.
3. The names `event` and `context` decide.
4. If one parameter is annotated, it is the event.
5. The position decides: `(context, event)`.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

POSITIONAL_ONLY, POSITIONAL_OR_KEYWORD, VAR_POSITIONAL, KEYWORD_ONLY, VAR_KEYWORD = range(5)
"""Kinds of parameters, numbered as `inspect.Parameter.kind`."""

CONTEXT_CLASSES = frozenset(
    {
        "pyl.Context",
        "pyl.context.Context",
        "awslambdaric.lambda_context.LambdaContext",
        "aws_lambda_powertools.utilities.typing.LambdaContext",
        "aws_lambda_powertools.utilities.typing.lambda_context.LambdaContext",
        "aws_lambda_typing.context.Context",
        "aws_lambda_typing.context.context.Context",
    }
)
"""Dotted names of the classes that annotate the context, both where they are defined and where they are exported."""

COUNT, CONTEXT, DEFAULT, VARIADIC = "count", "context", "default", "variadic"
"""Kinds of errors in a signature: values of `SignatureError.problem`."""


class SignatureError(Exception):
    """The parameters are not those of a handler.

    Attributes:
        message: What is wrong.
        index: Index of the parameter that is wrong; `None` for all of them together.
        problem: Kind of the error: `COUNT`, `CONTEXT`, `DEFAULT` or `VARIADIC`.
        hint: What to do.
    """

    def __init__(self, message: str, index: int | None, *, problem: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.index = index
        self.problem = problem
        self.hint = hint


class Parameter:
    """One parameter of a function.

    Attributes:
        name: Its name.
        is_context: Whether its annotation names a context class; `None` without an annotation.
        kind: Its kind, as in `inspect.Parameter.kind`.
        has_default: Whether it has a default value.
    """

    __slots__ = ("has_default", "is_context", "kind", "name")

    def __init__(
        self, name: str, is_context: bool | None, kind: int = POSITIONAL_OR_KEYWORD, has_default: bool = False
    ) -> None:
        self.name = name
        self.is_context = is_context
        self.kind = kind
        self.has_default = has_default


def assign(parameters: Sequence[Parameter], *, adopted: bool = False) -> tuple[int, int]:
    """Return the positions of the context and of the event among the arguments of a call.

    A decorated function has exactly two positional parameters without defaults; it may also have keyword-only
    parameters with defaults. An adopted function is any that can be called with two positional arguments.

    Args:
        parameters: The function's parameters, in order.
        adopted: Whether the function is adopted rather than decorated.

    Raises:
        SignatureError: The parameters are not those of a handler.
    """
    positional = _adopted_pair(parameters) if adopted else _decorated_pair(parameters)
    if len(positional) < 2:  # `*args` of an adopted function takes the rest
        return 1, 0
    first, second = parameters[positional[0]], parameters[positional[1]]
    if first.is_context and second.is_context:
        msg = f"both {first.name!r} and {second.name!r} are annotated as the context"
        raise SignatureError(
            msg,
            positional[1],
            problem=CONTEXT,
            hint="annotate the event with its type, or leave the annotation out",
        )
    if first.is_context or second.is_context:
        return (0, 1) if first.is_context else (1, 0)
    return (1, 0) if adopted else _without_context_annotation(first, second, positional[0])


def _without_context_annotation(first: Parameter, second: Parameter, index: int) -> tuple[int, int]:
    annotated = first.is_context is not None, second.is_context is not None
    if annotated == (True, True):
        msg = "no parameter is annotated as the context"
        raise SignatureError(
            msg, index, problem=CONTEXT, hint="annotate one parameter with Context (from pyl import Context)"
        )
    if first.name == "event" or second.name == "context":
        return 1, 0
    if first.name == "context" or second.name == "event":
        return 0, 1
    return (1, 0) if annotated == (True, False) else (0, 1)


def _decorated_pair(parameters: Sequence[Parameter]) -> list[int]:
    positional = []
    for index, parameter in enumerate(parameters):
        if parameter.kind in (VAR_POSITIONAL, VAR_KEYWORD):
            stars = "*" if parameter.kind == VAR_POSITIONAL else "**"
            msg = f"a function takes the context and the event, not {stars}{parameter.name}"
            raise SignatureError(msg, index, problem=VARIADIC, hint=f"remove {stars}{parameter.name}")
        if parameter.kind == KEYWORD_ONLY:
            if not parameter.has_default:
                msg = f"keyword-only parameter {parameter.name!r} has no default, and Lambda passes none"
                raise SignatureError(msg, index, problem=COUNT, hint="give it a default, or remove it")
            continue
        positional.append(index)
    _require_two(parameters, positional)
    for index in positional:
        if parameters[index].has_default:
            msg = f"parameter {parameters[index].name!r} has a default, but Lambda always passes it"
            raise SignatureError(msg, index, problem=DEFAULT, hint="remove the default")
    return positional


def _require_two(parameters: Sequence[Parameter], positional: list[int]) -> None:
    count = len(positional)
    if count == 2:
        return
    msg = f"a function has two parameters, the context and the event; this one has {count or 'none'}"
    hint = "write (context: Context, event)"
    if count > 2 and all(parameters[index].has_default for index in positional[2:]):
        hint = "write (context: Context, event, *, ...): parameters with defaults go behind a bare *"
    raise SignatureError(msg, positional[2] if count > 2 else None, problem=COUNT, hint=hint)


def _adopted_pair(parameters: Sequence[Parameter]) -> list[int]:
    positional = []
    variadic = False
    for position, parameter in enumerate(parameters):
        if parameter.kind in (POSITIONAL_ONLY, POSITIONAL_OR_KEYWORD):
            positional.append(position)
        elif parameter.kind == VAR_POSITIONAL:
            variadic = True
        elif parameter.kind == KEYWORD_ONLY and not parameter.has_default:
            msg = f"keyword-only parameter {parameter.name!r} has no default, and Lambda passes none"
            raise SignatureError(msg, position, problem=COUNT, hint="give it a default, or remove it")
    required = [position for position in positional if not parameters[position].has_default]
    if len(required) > 2 or (len(positional) < 2 and not variadic):
        count = len(required) or "no"
        msg = f"an adopted handler is called with (event, context); this one takes {count} argument(s)"
        index = required[2] if len(required) > 2 else None
        raise SignatureError(msg, index, problem=COUNT, hint="write (event, context)")
    return positional[:2]
