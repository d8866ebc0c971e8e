"""Check single values against their keys, and explain what is wrong with them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from pyl.project.config.keys import Key, Kind
from pyl.project.config.patterns import canonical_json, find_pattern_mistake
from pyl.project.diagnostics import Code

VARIABLES_LIMIT = 4096
"""Bytes of all variables of a function together: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""

RESERVED_VARIABLES = frozenset(
    {
        "_HANDLER",
        "_X_AMZN_TRACE_ID",
        "AWS_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_DEFAULT_REGION",
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_LAMBDA_RUNTIME_API",
        "AWS_REGION",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "LAMBDA_RUNTIME_DIR",
        "LAMBDA_TASK_ROOT",
    }
)
"""Variables that Lambda sets itself: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html"""

TAGS_LIMIT = 48
"""Tags of a function. AWS accepts 50; pyl sets two of its own."""

RELATIVE_PATH = r"^(?!/).+$"
"""A path relative to the project."""

_TAG = r"[\w\s.:/=+@-]{{{},{}}}"
STATEMENT_PATTERNS = {"actions": r"[a-z0-9-]+:[A-Za-z0-9*?]+|\*", "resources": r"arn:.+|\*"}


@dataclass(frozen=True)
class Problem:
    """Why a value is refused."""

    code: Code
    message: str
    hint: str
    inner: str | int | None = None
    """The element or the variable that is wrong, when the rest of the value is valid."""


def find_problem(key: Key, value: object) -> Problem | None:
    """Return what is wrong with the value of a key, or `None` if it is valid."""
    check = _CHECKS.get(key.kind, _string_problem)
    return check(key, value)


def variables_size(variables: Mapping[str, str]) -> int:
    """Return the bytes that Lambda counts for a function's variables: names and values."""
    return sum(len(name.encode()) + len(text.encode()) for name, text in variables.items())


def _type_problem(key: Key, value: object) -> Problem:
    message = f"`{key.name}` must be {_with_article(key.kind)}, not {_shorten(value)}"
    return Problem(Code.VALUE_TYPE, message, f"write {key.name} = {key.example}")


def _range_problem(key: Key, message: str) -> Problem:
    return Problem(Code.VALUE_RANGE, message, f"write {key.name} = {key.example}")


def _integer_problem(key: Key, value: object) -> Problem | None:
    if not isinstance(value, int) or isinstance(value, bool):
        return _type_problem(key, value)
    minimum, maximum = key.minimum or 0, key.maximum or 0
    if not minimum <= value <= maximum:
        message = f"`{key.name}` is {value}; Lambda accepts {minimum:,} to {maximum:,}"
        nearest = min(max(value, minimum), maximum)
        return Problem(Code.VALUE_RANGE, message, f"the nearest possible value is {nearest}")
    if key.steps and value not in key.steps:
        nearest = min(key.steps, key=lambda step: abs(step - value))
        message = f"`{key.name}` is {value}; AWS accepts {', '.join(map(str, key.steps))}"
        return Problem(Code.VALUE_RANGE, message, f"the nearest possible value is {nearest}")
    return None


def _string_problem(key: Key, value: object) -> Problem | None:
    if not isinstance(value, str):
        return _type_problem(key, value)
    if key.choices and value not in key.choices:
        choices = " or ".join(f'"{choice}"' for choice in key.choices)
        return Problem(Code.VALUE_RANGE, f"`{key.name}` cannot be {_shorten(value)}", f"write {choices}")
    if key.max_length and len(value) > key.max_length:
        message = f"`{key.name}` has {len(value)} characters; Lambda accepts up to {key.max_length}"
        return Problem(Code.VALUE_RANGE, message, "shorten it")
    pattern = RELATIVE_PATH if key.kind in {Kind.FILE, Kind.FOLDER} else key.pattern
    if pattern and not re.fullmatch(pattern, value):
        return _range_problem(key, f"`{key.name}` cannot be {_shorten(value)}")
    return None


def _strings_problem(key: Key, value: object) -> Problem | None:
    if not isinstance(value, list):
        return _type_problem(key, value)
    for index, item in enumerate(value):
        hint = f"write {key.name} = {key.example}"
        if not isinstance(item, str):
            return Problem(Code.VALUE_TYPE, f"`{key.name}` holds {_shorten(item)}; it takes strings", hint, index)
        if key.pattern and not re.fullmatch(key.pattern, item):
            return Problem(Code.VALUE_RANGE, f"`{key.name}` cannot hold {_shorten(item)}", hint, index)
    if key.max_length and len(value) > key.max_length:
        message = f"`{key.name}` has {len(value)} elements; Lambda accepts up to {key.max_length}"
        return Problem(Code.VALUE_RANGE, message, "leave some out")
    return None


def _boolean_problem(key: Key, value: object) -> Problem | None:
    return None if isinstance(value, bool) else _type_problem(key, value)


def _image_problem(key: Key, value: object) -> Problem | None:
    return None if value == "require" else _boolean_problem(key, value)


def _variables_problem(key: Key, value: object) -> Problem | None:
    if not isinstance(value, Mapping):
        return _type_problem(key, value)
    for name, text in value.items():
        if not isinstance(text, str):
            hint = f'variables are strings: write {name} = "{str(text).lower()}"'
            return Problem(Code.VALUE_TYPE, f"variable {name} is {_shorten(text)}", hint, name)
        if name in RESERVED_VARIABLES:
            message = f"variable {name} is set by Lambda, which refuses to have it configured"
            return Problem(Code.VALUE_RANGE, message, "choose another name", name)
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]+", name):
            hint = "names are two or more letters, digits and underscores, the first one a letter"
            return Problem(Code.VALUE_RANGE, f"Lambda refuses {_shorten(name)} as a variable's name", hint, name)
    size = variables_size(value)
    if size > VARIABLES_LIMIT:
        message = f"the variables take {size:,} bytes; Lambda accepts up to {VARIABLES_LIMIT:,}"
        return Problem(Code.VALUE_RANGE, message, "keep large values in Parameter Store, S3 or a file")
    return None


def _tags_problem(key: Key, value: object) -> Problem | None:
    if not isinstance(value, Mapping):
        return _type_problem(key, value)
    if len(value) > TAGS_LIMIT:
        return Problem(
            Code.VALUE_RANGE, f"there are {len(value)} tags; AWS accepts up to {TAGS_LIMIT}", "leave some out"
        )
    for name, text in value.items():
        if not isinstance(text, str):
            hint = f'tags are strings: write {name} = "{str(text).lower()}"'
            return Problem(Code.VALUE_TYPE, f"the value of tag {name} is not a string", hint, name)
        if name.lower().startswith(("aws:", "pyl:")):
            return Problem(Code.VALUE_RANGE, f"tag {name} is reserved", "choose another name", name)
        if not (re.fullmatch(_TAG.format(1, 128), name) and re.fullmatch(_TAG.format(0, 256), text)):
            hint = "names are 1 to 128, values up to 256 letters, digits, spaces and _ . : / = + - @"
            return Problem(Code.VALUE_RANGE, f"AWS refuses the tag {name}", hint, name)
    return None


def _statements_problem(key: Key, value: object) -> Problem | None:
    if not isinstance(value, list):
        return _type_problem(key, value)
    for index, item in enumerate(value):
        mistake = _statement_mistake(item)
        if mistake is not None:
            return replace(_range_problem(key, f"`{key.name}` holds a statement {mistake}"), inner=index)
    return None


def _statement_mistake(item: object) -> str | None:
    if not isinstance(item, Mapping):
        return "that is not a table"
    if set(item) != {"actions", "resources"}:
        return "without exactly `actions` and `resources`"
    for name, pattern in STATEMENT_PATTERNS.items():
        texts = item[name]
        if not isinstance(texts, list) or not texts:
            return f"whose `{name}` is not a list, or is empty"
        for text in texts:
            if not isinstance(text, str) or not re.fullmatch(pattern, text):
                return f"whose `{name}` hold {text!r}"
    return None


def _json_problem(key: Key, value: object) -> Problem | None:
    try:
        canonical_json(value)
    except ValueError as error:
        return _range_problem(key, f"`{key.name}` is not JSON: {error}")
    return None


def _pattern_problem(key: Key, value: object) -> Problem | None:
    if not isinstance(value, (str, Mapping)):
        return _type_problem(key, value)
    problem = _json_problem(key, value)
    if problem is None and (mistake := find_pattern_mistake(canonical_json(value))):
        return _range_problem(key, f"`{key.name}` is not a pattern: {mistake}")
    return problem


def _patterns_problem(key: Key, value: object) -> Problem | None:
    if not isinstance(value, list):
        return _type_problem(key, value)
    if key.max_length and len(value) > key.max_length:
        message = f"`{key.name}` has {len(value)} patterns; Lambda accepts up to {key.max_length}"
        return Problem(Code.VALUE_RANGE, message, "join some with `$or`, or with several values of a field")
    problems = ((index, _pattern_problem(key, item)) for index, item in enumerate(value))
    return next((replace(problem, inner=index) for index, problem in problems if problem), None)


_CHECKS: Mapping[Kind, Callable[[Key, object], Problem | None]] = {
    Kind.INTEGER: _integer_problem,
    Kind.STRINGS: _strings_problem,
    Kind.VARIABLES: _variables_problem,
    Kind.IMAGE: _image_problem,
    Kind.BOOLEAN: _boolean_problem,
    Kind.TAGS: _tags_problem,
    Kind.STATEMENTS: _statements_problem,
    Kind.JSON: _json_problem,
    Kind.PATTERN: _pattern_problem,
    Kind.PATTERNS: _patterns_problem,
}
"""Every other kind is a string."""


def _with_article(kind: Kind) -> str:
    if kind in {Kind.IMAGE, Kind.BOOLEAN}:
        return str(kind)
    return f"an {kind}" if kind is Kind.INTEGER else f"a {kind}"


def _shorten(value: object) -> str:
    """Return a value as TOML shows it, short enough for a message."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return "a table"
    if isinstance(value, list):
        return "a list"
    text = f'"{value}"' if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
