"""The keys of `[tool.pyl]` as data: what each takes, its bounds, its variable."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from pyl.architecture import Architecture
from pyl.project.diagnostics import Code


class Kind(StrEnum):
    """The type of a key's value, as documentation and messages name it."""

    STRING = "string"
    INTEGER = "integer"
    STRINGS = "list of strings"
    VARIABLES = "table of strings"
    FILE = "path of a file"
    FOLDER = "path of a folder"
    IMAGE = 'true, false or "require"'
    BOOLEAN = "true or false"
    TAGS = "table of tags"
    STATEMENTS = "list of tables"
    JSON = "table or JSON text"
    PATTERN = "pattern"
    PATTERNS = "list of patterns"


@dataclass(frozen=True)
class Problem:
    """Why a value cannot be taken."""

    code: Code
    message: str
    hint: str
    inner: str | int | None = None
    """The element or the variable that is wrong, when the rest of the value is right."""


@dataclass(frozen=True, kw_only=True)
class Key:
    """One key. `name` is relative to its table."""

    name: str
    kind: Kind
    meaning: str
    """One sentence for `docs/configuration.md`."""
    default: str = ""
    """How documentation shows the default."""
    minimum: int = 0
    maximum: int = 0
    """Of an integer's value, or of a string's length (0: any)."""
    choices: tuple[str, ...] = ()
    pattern: str | None = None
    """What a string, or each one of a list, must match as a whole."""
    example: str = ""
    """A right value, for hints."""
    variable: str | None = None
    """The environment variable that overrides it."""

    def parse(self, text: str) -> object:
        """The value that a variable's text stands for; the text itself if it stands for none."""
        if self.kind is Kind.INTEGER and re.fullmatch(r"[+-]?[0-9]{1,18}", text.strip()):
            return int(text)
        if self.kind is Kind.IMAGE:
            return {"true": True, "auto": True, "false": False, "off": False}.get(text.lower(), text.lower())
        return text

    def problem(self, value: object) -> Problem | None:
        """What is wrong with a value, if anything."""
        match self.kind:
            case Kind.INTEGER:
                return self._integer_problem(value)
            case Kind.STRINGS:
                return self._list_problem(value)
            case Kind.VARIABLES:
                return self._variables_problem(value)
            case Kind.IMAGE:
                return None if isinstance(value, bool) or value == "require" else self._type_problem(value)
            case Kind.BOOLEAN:
                return None if isinstance(value, bool) else self._type_problem(value)
            case _:
                return self._string_problem(value)

    def _type_problem(self, value: object) -> Problem:
        hint = f"write {self.name} = {self.example}" if self.example else f"give it a {self.kind}"
        return Problem(Code.VALUE_TYPE, f"`{self.name}` must be {_article(self.kind)}, not {_shown(value)}", hint)

    def _integer_problem(self, value: object) -> Problem | None:
        if not isinstance(value, int) or isinstance(value, bool):
            return self._type_problem(value)
        if self.minimum <= value <= self.maximum:
            return None
        message = f"`{self.name}` is {value}; Lambda takes {self.minimum:,} to {self.maximum:,}"
        nearest = min(max(value, self.minimum), self.maximum)
        return Problem(Code.VALUE_RANGE, message, f"the nearest possible value is {nearest}")

    def _string_problem(self, value: object) -> Problem | None:
        if not isinstance(value, str):
            return self._type_problem(value)
        if self.choices and value not in self.choices:
            choices = " or ".join(f'"{choice}"' for choice in self.choices)
            return Problem(Code.VALUE_RANGE, f"`{self.name}` cannot be {_shown(value)}", f"write {choices}")
        if self.maximum and len(value) > self.maximum:
            message = f"`{self.name}` has {len(value)} characters; Lambda takes {self.maximum}"
            return Problem(Code.VALUE_RANGE, message, "shorten it")
        if self.pattern and not re.fullmatch(self.pattern, value):
            hint = f"write {self.name} = {self.example}"
            return Problem(Code.VALUE_RANGE, f"`{self.name}` cannot be {_shown(value)}", hint)
        return None

    def _list_problem(self, value: object) -> Problem | None:
        if not isinstance(value, list):
            return self._type_problem(value)
        for index, item in enumerate(value):
            hint = f"write {self.name} = {self.example}"
            if not isinstance(item, str):
                message = f"`{self.name}` holds {_shown(item)}; it takes strings"
                return Problem(Code.VALUE_TYPE, message, hint, index)
            if self.pattern and not re.fullmatch(self.pattern, item):
                return Problem(Code.VALUE_RANGE, f"`{self.name}` cannot hold {_shown(item)}", hint, index)
        return None

    def _variables_problem(self, value: object) -> Problem | None:
        if not isinstance(value, Mapping):
            return self._type_problem(value)
        for name, text in value.items():
            if not isinstance(text, str):
                hint = f'variables are strings: write {name} = "{str(text).lower()}"'
                return Problem(Code.VALUE_TYPE, f"variable {name} is {_shown(text)}", hint, name)
            if name in RESERVED_VARIABLES:
                message = f"variable {name} is set by Lambda, which refuses to have it configured"
                return Problem(Code.VALUE_RANGE, message, "choose another name", name)
            if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]+", name):
                hint = "names are two or more letters, digits and underscores, the first one a letter"
                return Problem(Code.VALUE_RANGE, f"Lambda refuses {_shown(name)} as a variable's name", hint, name)
        size = variables_size(value)
        if size > VARIABLES_LIMIT:
            message = f"the variables take {size:,} bytes; Lambda takes {VARIABLES_LIMIT:,}"
            return Problem(Code.VALUE_RANGE, message, "keep large values in Parameter Store, S3 or a file")
        return None


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
"""Keys that cannot be set: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html"""


def variables_size(variables: Mapping[str, str]) -> int:
    """Bytes that Lambda counts for a function's variables, names and values."""
    return sum(len(name.encode()) + len(text.encode()) for name, text in variables.items())


def _article(kind: Kind) -> str:
    if kind in {Kind.IMAGE, Kind.BOOLEAN}:
        return str(kind)
    return f"an {kind}" if kind is Kind.INTEGER else f"a {kind}"


def _shown(value: object) -> str:
    """A value as TOML would show it, short enough for a message."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return "a table"
    if isinstance(value, list):
        return "a list"
    text = f'"{value}"' if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


_GLOB = r"(?!.*(?:^|/)\.\.(?:/|$)).*[^/].*"
_RELATIVE = r"(?!/).+"

_MEMORY = Key(
    name="memory",
    kind=Kind.INTEGER,
    meaning="Memory in MB.",
    default="512",
    minimum=128,
    maximum=10240,
    example="512",
    variable="PYL_MEMORY",
)
_TIMEOUT = Key(
    name="timeout",
    kind=Kind.INTEGER,
    meaning="Seconds until Lambda ends an invocation.",
    default="10",
    minimum=1,
    maximum=900,
    example="10",
    variable="PYL_TIMEOUT",
)
_ENVIRONMENT = Key(
    name="environment",
    kind=Kind.VARIABLES,
    meaning="Environment variables.",
    default="{}",
    example='{ STAGE = "test" }',
)

PROJECT_KEYS: tuple[Key, ...] = (
    Key(
        name="source",
        kind=Kind.FOLDER,
        meaning="Folder, below the project's, that is the root of the modules.",
        default='`"src"` if that folder exists, else `"."`',
        pattern=_RELATIVE,
        example='"src"',
        variable="PYL_SOURCE",
    ),
    Key(
        name="include",
        kind=Kind.STRINGS,
        meaning="Patterns of files to package although they would be left out.",
        default="[]",
        pattern=_GLOB,
        example='["templates/**"]',
    ),
    Key(
        name="exclude",
        kind=Kind.STRINGS,
        meaning="Patterns of files to leave out of packages, and of the search for functions.",
        default="[]",
        pattern=_GLOB,
        example='["scripts/**"]',
    ),
    Key(
        name="aws_services",
        kind=Kind.STRINGS,
        meaning="The AWS services that functions use, by botocore's names: packages describe no others.",
        default="all services",
        pattern=r"[a-z0-9][a-z0-9.-]*",
        example='["dynamodb", "s3"]',
    ),
    Key(
        name="architecture",
        kind=Kind.STRING,
        meaning="Processor of the functions.",
        default=f'"{Architecture.X86_64}"',
        choices=tuple(Architecture),
        example=f'"{Architecture.X86_64}"',
        variable="PYL_ARCHITECTURE",
    ),
    Key(
        name="target",
        kind=Kind.STRING,
        meaning="Lambda runtime of native packages.",
        default='"provided.al2"',
        choices=("provided.al2", "provided.al2023"),
        example='"provided.al2"',
        variable="PYL_TARGET",
    ),
    Key(
        name="region",
        kind=Kind.STRING,
        meaning="AWS region of the functions.",
        default="`AWS_REGION`, else `AWS_DEFAULT_REGION`, else the AWS profile's",
        pattern=r"[a-z]{2}(-[a-z]+)+-[0-9]+",
        example='"eu-central-1"',
        variable="PYL_REGION",
    ),
    _MEMORY,
    _TIMEOUT,
    _ENVIRONMENT,
)

NATIVE_KEYS: tuple[Key, ...] = (
    Key(
        name="image",
        kind=Kind.IMAGE,
        meaning="Whether native packages start from a process image; `require` makes a fallback an error.",
        default="true",
        example="true",
        variable="PYL_IMAGE",
    ),
    Key(
        name="compile",
        kind=Kind.STRINGS,
        meaning="Third-party import packages to compile as well; the others stay bytecode.",
        default="[]",
        pattern=r"[^\W\d]\w*(\.[^\W\d]\w*)*",
        example='["pydantic"]',
    ),
    Key(
        name="builder",
        kind=Kind.STRING,
        meaning="What compiles native packages; `auto` is the container when an engine answers, else this host.",
        default='"auto"',
        choices=("auto", "container", "local"),
        example='"container"',
        variable="PYL_BUILDER",
    ),
    Key(
        name="base_image",
        kind=Kind.STRING,
        meaning="Image that the container builder compiles in.",
        default="Amazon Linux of the `target`",
        pattern=r"[a-z0-9][\w.:/@-]*",
        example='"registry.example.com/amazonlinux:2023"',
        variable="PYL_BASE_IMAGE",
    ),
    Key(
        name="base_python",
        kind=Kind.STRING,
        meaning="Python of `base_image`, with its headers, to compile with.",
        default="one from python-build-standalone",
        pattern=r"/[\w./+-]+",
        example='"/usr/bin/python3"',
        variable="PYL_BASE_PYTHON",
    ),
)

FUNCTION_KEYS: tuple[Key, ...] = (
    Key(
        name="description",
        kind=Kind.STRING,
        meaning="What AWS shows as the function's description.",
        default="the decorator's, else the docstring's first line",
        maximum=256,
        example='"Tells the customer"',
    ),
    replace(_MEMORY, default="the project's"),
    replace(_TIMEOUT, default="the project's"),
    replace(_ENVIRONMENT, default="the project's"),
    Key(
        name="handler",
        kind=Kind.STRING,
        meaning="Plain callable to adopt as this function, without a decorator.",
        pattern=r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*",
        example='"legacy.app:main"',
    ),
    Key(
        name="event",
        kind=Kind.FILE,
        meaning="JSON file with a sample event, relative to the project.",
        pattern=_RELATIVE,
        example='"events/order.json"',
    ),
    Key(
        name="warm_up",
        kind=Kind.FILE,
        meaning="JSON file with an event that is handled when the process image is made.",
        pattern=_RELATIVE,
        example='"events/order.json"',
    ),
)
