"""Check whether an annotation can be that of an event or of a result, as far as its text shows.

Types that the text does not show (a class from a third-party package, a computed type) are accepted here; the runtime
checks them.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable

from pyl.project.analysis import public_api
from pyl.project.analysis.annotations import Annotation, subscript_arguments
from pyl.project.analysis.modules import Meaning
from pyl.project.analysis.plain_classes import is_plain_class
from pyl.project.diagnostics import Code, Diagnostic
from pyl.runtime.handlers.signature import CONTEXT_CLASSES

_PLAIN_JSON = frozenset(
    [f"builtins.{name}" for name in ("object", "dict", "list", "str", "int", "float", "bool", "tuple")]
    + [f"typing.{name}" for name in ("Any", "Dict", "List", "Tuple")]
    + [
        f"{home}.{name}"
        for home in ("typing", "collections.abc")
        for name in ("Mapping", "MutableMapping", "Sequence", "MutableSequence", "Iterable", "Collection")
    ]
)
"""Types of events that need no conversion. Must agree with `pyl.runtime.handlers.typed.is_plain`."""

_NOT_RESULTS = frozenset(
    ["builtins.complex", "builtins.type", "builtins.range", "builtins.slice"]
    + [f"{home}.{name}" for home in ("typing", "collections.abc") for name in ("Callable", "Coroutine")]
    + ["typing.Type", "types.FunctionType", "types.ModuleType", "types.CoroutineType"]
)
"""Types that certainly cannot be written as JSON."""

_STREAMS = frozenset(
    ["builtins.map", "builtins.filter", "typing.IO", "typing.TextIO", "typing.BinaryIO"]
    + ["types.GeneratorType", "types.AsyncGeneratorType"]
    + [
        f"{home}.{name}"
        for home in ("typing", "collections.abc")
        for name in ("Iterator", "Generator", "AsyncIterator", "AsyncIterable", "AsyncGenerator")
    ]
)
"""Types of results that are streamed: text or bytes, part by part."""

_PARTS = frozenset(f"builtins.{name}" for name in ("str", "bytes", "bytearray", "memoryview", "object"))

_NOT_EVENTS = _NOT_RESULTS | _STREAMS | {"typing.Set", "typing.FrozenSet"}

_EVENT_HINT = (
    "use plain JSON (dict, list, str, Any, or nothing), a type of pyl.events, a dataclass, TypedDict, msgspec Struct, "
    "attrs class or pydantic model"
)
_RESULT_HINT = (
    "return JSON (dict, list, str, None, ...), a type of pyl.responses, a dataclass, Struct or pydantic model"
)


def find_event_problem(annotation: Annotation) -> Diagnostic | None:
    """Return why no event can be of this type, or `None`."""
    return _problem(annotation, Code.EVENT_ANNOTATION, "an event", _EVENT_HINT, _refused_event)


def find_result_problem(annotation: Annotation) -> Diagnostic | None:
    """Return why no result can be of this type, or `None`."""
    return _problem(annotation, Code.RETURN_ANNOTATION, "a result", _RESULT_HINT, _refused_result)


def find_undefined_name(annotation: Annotation) -> Diagnostic | None:
    """Return the first name in an annotation that nothing defines, as a diagnostic."""
    parts = annotation.names(annotation.expression)
    return next((problem for part in parts if (problem := _undefined(annotation, part))), None)


def find_type_checking_import(annotation: Annotation, *, evaluated: bool) -> Diagnostic | None:
    """Return the first name in an annotation that only type checkers import, as a diagnostic.

    Args:
        annotation: The annotation.
        evaluated: Whether the runtime evaluates the annotation, even if Python does not at import.
    """
    if not (evaluated or annotation.is_evaluated_at_import):
        return None
    for part in annotation.names(annotation.expression):
        if annotation.meaning(part).for_type_checkers:
            text = ast.unparse(part)
            message = f"`{text}` is imported for type checkers only, and the annotation is needed at run time"
            hint = "move the import out of `if TYPE_CHECKING:`"
            return annotation.module.diagnostic(part, Code.TYPE_CHECKING_ONLY, message, hint)
    return None


def _problem(
    annotation: Annotation, code: Code, what: str, hint: str, refused: Callable[[Annotation, ast.expr], str | None]
) -> Diagnostic | None:
    for part in annotation.alternatives(annotation.expression):
        unknown = _unknown_library_name(annotation, part)
        if unknown is not None:
            return unknown
        reason = refused(annotation, part)
        if reason is not None:
            return annotation.module.diagnostic(part, code, f"{what} cannot be {reason}", hint)
    return None


def _refused_event(annotation: Annotation, part: ast.expr) -> str | None:
    if isinstance(part, ast.Subscript):
        base = annotation.meaning(part.value)
        if base.name.endswith(".Annotated"):
            return _refused_event(annotation, subscript_arguments(part)[0])
        reason = None if base.name in _PLAIN_JSON else _refused_event(annotation, part.value)
        inner = (item for argument in subscript_arguments(part) for item in annotation.alternatives(argument))
        refusals = (_refused_event(annotation, item) for item in inner if not _is_ellipsis(item))
        return reason or next((refusal for refusal in refusals if refusal), None)
    if not isinstance(part, (ast.Name, ast.Attribute)):
        return _refused_expression(annotation, part)
    meaning = annotation.meaning(part)
    if meaning.name in _PLAIN_JSON:
        return None
    if meaning.name in _NOT_EVENTS or _is_standard_class(meaning):
        return f"`{meaning.name.removeprefix('builtins.')}`"
    return _refused_class(annotation, part, meaning)


def _is_standard_class(meaning: Meaning) -> bool:
    """Return whether this is a class of the standard library outside of `typing`: the runtime converts to none."""
    root = meaning.name.partition(".")[0]
    is_standard = root == "builtins" or root in sys.stdlib_module_names
    return is_standard and root != "typing" and meaning.module is None and not meaning.is_module


def _refused_result(annotation: Annotation, part: ast.expr) -> str | None:
    if isinstance(part, ast.Subscript):
        if annotation.meaning(part.value).name in _STREAMS:
            return _refused_part(annotation, part)
        return _refused_result(annotation, part.value)
    if not isinstance(part, (ast.Name, ast.Attribute)):
        return _refused_expression(annotation, part)
    meaning = annotation.meaning(part)
    if meaning.name in _NOT_RESULTS or meaning.name in CONTEXT_CLASSES:
        return f"`{meaning.name.removeprefix('builtins.')}`"
    return _refused_class(annotation, part, meaning)


def _refused_part(annotation: Annotation, stream: ast.Subscript) -> str | None:
    """Return why a stream cannot be sent: some of its parts are neither text nor bytes."""
    for part in annotation.alternatives(subscript_arguments(stream)[0]):
        inner = part.value if isinstance(part, ast.Subscript) else part
        if not isinstance(inner, (ast.Name, ast.Attribute)):
            continue
        name = annotation.meaning(inner).name
        if (name in _PLAIN_JSON or name.startswith("builtins.")) and name not in _PARTS | {"typing.Any"}:
            return f"a stream of `{ast.unparse(part)}`: its parts are text or bytes"
    return None


def _refused_class(annotation: Annotation, part: ast.expr, meaning: Meaning) -> str | None:
    """Return why this can be neither event nor result: it is not a class, or one that nothing converts."""
    text = ast.unparse(part)
    if meaning.is_module:
        return f"the module `{text}`"
    if meaning.name in CONTEXT_CLASSES:
        return "the context"
    if meaning.name.split(".")[0] == "pyl" and public_api.classify_public_name(meaning.name) in {"module", "other"}:
        return f"`{text}`, which is not a class"
    if isinstance(meaning.definition, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return f"the function `{text}`"
    if meaning.module is not None and isinstance(meaning.definition, ast.ClassDef):
        is_plain = is_plain_class(annotation.modules, meaning.module, meaning.definition)
        return f"the plain class `{text}`, which JSON cannot be converted to or from" if is_plain else None
    return None


def _refused_expression(annotation: Annotation, part: ast.expr) -> str | None:
    if isinstance(part, ast.Constant) and part.value is None:
        return None
    if isinstance(part, ast.Call):
        is_instance = annotation.meaning(part.func).name.startswith("builtins.")
        return f"`{ast.unparse(part)}`, which is a value, not a type" if is_instance else None
    wrong = (ast.Constant, ast.List, ast.Tuple, ast.Dict, ast.Set, ast.Lambda, ast.JoinedStr)
    return f"`{ast.unparse(part)}`, which is not a type" if isinstance(part, wrong) else None


def _unknown_library_name(annotation: Annotation, part: ast.expr) -> Diagnostic | None:
    for name in annotation.names(part):
        meaning = annotation.meaning(name)
        if meaning.name.split(".")[0] != "pyl" or meaning.module is not None:
            continue
        if public_api.classify_public_name(meaning.name) == "missing":
            similar = public_api.find_nearest_public_name(meaning.name)
            events = ", ".join(sorted(full.rpartition(".")[2] for full in public_api.event_classes().values()))
            hint = f"did you mean `{similar}`?" if similar else f"the events are {events}"
            return annotation.module.diagnostic(name, Code.UNKNOWN_PYL_NAME, f"pyl has no `{meaning.name}`", hint)
    return None


def _undefined(annotation: Annotation, part: ast.expr) -> Diagnostic | None:
    if annotation.resolve(part) is not None:
        return None
    text = ast.unparse(part)
    message = f"`{text}` is not defined in this module"
    known = {full.rpartition(".")[2]: full for full in public_api.event_classes().values()}
    home = {"Context": "pyl"} | dict.fromkeys(known, "pyl.events")
    hint = f"add `from {home[text]} import {text}`" if text in home else "import or define it"
    return annotation.module.diagnostic(part, Code.UNDEFINED_ANNOTATION, message, hint)


def _is_ellipsis(expression: ast.expr) -> bool:
    return isinstance(expression, ast.Constant) and expression.value is Ellipsis
