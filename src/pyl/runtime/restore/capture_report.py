"""What a program reports to the build while its process image is captured.

The program encodes the report, the tracer (`pyl.image.capture.tracer`) passes it on as JSON, and the build decodes it.
The classes are plain ones: what the program imports at capture stays in its image, so neither dataclasses nor msgspec
is imported for them.
"""

from __future__ import annotations

from pyl.json import codec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn


class VariableRead:
    """The first read of one environment variable during the import of the user's modules.

    Attributes:
        name: Name of the variable.
        value: Its value then; `None` when it was not set.
        place: `file:line` of the code that read it.
    """

    __slots__ = ("name", "place", "value")

    def __init__(self, name: str, value: str | None, place: str) -> None:
        self.name = name
        self.value = value
        self.place = place


class Problem:
    """A reason why no image of the loaded modules can be taken.

    Attributes:
        message: What failed.
        place: `file:line` in the user's code, or an empty string.
    """

    __slots__ = ("message", "place")

    def __init__(self, message: str, place: str = "") -> None:
        self.message = message
        self.place = place


class CaptureReport:
    """Everything that the build must know about one captured program.

    Attributes:
        reads: Environment variables that Python code read. They become guards of the image.
        listing_place: `file:line` of the first code that asked for the names of all variables; `None` if none did.
        written_variables: Names of the variables that the import set or deleted.
        reopened_descriptors: Descriptors of the package's files that a restored process opens again.
        descriptor_holders: For each open descriptor, the module attribute that leads to it (for messages).
        module_files: File of each loaded module that has one, by module name.
        kept: What the image would keep of one instance, known without a look at its memory.
        problems: Why no image can be taken; empty when one can.
    """

    __slots__ = (
        "descriptor_holders",
        "kept",
        "listing_place",
        "module_files",
        "problems",
        "reads",
        "reopened_descriptors",
        "written_variables",
    )

    def __init__(
        self,
        *,
        reads: list[VariableRead] | None = None,
        listing_place: str | None = None,
        written_variables: list[str] | None = None,
        reopened_descriptors: list[int] | None = None,
        descriptor_holders: dict[int, str] | None = None,
        module_files: dict[str, str] | None = None,
        kept: list[Problem] | None = None,
        problems: list[Problem] | None = None,
    ) -> None:
        self.reads = reads or []
        self.listing_place = listing_place
        self.written_variables = written_variables or []
        self.reopened_descriptors = reopened_descriptors or []
        self.descriptor_holders = descriptor_holders or {}
        self.module_files = module_files or {}
        self.kept = kept or []
        self.problems = problems or []

    def to_json(self) -> bytes:
        """Return the report as one JSON object in UTF-8."""
        return codec.encode(
            {
                "reads": [{"name": read.name, "value": read.value, "place": read.place} for read in self.reads],
                "listing_place": self.listing_place,
                "written_variables": self.written_variables,
                "reopened_descriptors": self.reopened_descriptors,
                "descriptor_holders": {str(number): holder for number, holder in self.descriptor_holders.items()},
                "module_files": self.module_files,
                "kept": [{"message": problem.message, "place": problem.place} for problem in self.kept],
                "problems": [{"message": problem.message, "place": problem.place} for problem in self.problems],
            }
        )

    @classmethod
    def from_json(cls, body: bytes) -> CaptureReport:
        """Decode what `to_json` returned.

        Raises:
            ValueError: It is not JSON, a field is missing or unknown, or a value has another type.
        """
        fields = _fields(codec.decode(body), cls.__slots__)
        return cls(
            reads=[_variable_read(item) for item in _list(fields, "reads")],
            listing_place=_optional_text(fields, "listing_place"),
            written_variables=_texts(fields, "written_variables"),
            reopened_descriptors=_integers(fields, "reopened_descriptors"),
            descriptor_holders={int(number): text for number, text in _text_map(fields, "descriptor_holders").items()},
            module_files=_text_map(fields, "module_files"),
            kept=[_problem(item) for item in _list(fields, "kept")],
            problems=[_problem(item) for item in _list(fields, "problems")],
        )


def _variable_read(value: Any) -> VariableRead:
    fields = _fields(value, VariableRead.__slots__)
    return VariableRead(_text(fields, "name"), _optional_text(fields, "value"), _text(fields, "place"))


def _problem(value: Any) -> Problem:
    fields = _fields(value, Problem.__slots__)
    return Problem(_text(fields, "message"), _text(fields, "place"))


def _fields(value: Any, names: tuple[str, ...]) -> dict[str, Any]:
    if type(value) is not dict or set(value) != set(names):
        _refuse("an object with the fields " + ", ".join(names), value)
    return value


def _list(fields: dict[str, Any], name: str) -> list[Any]:
    value = fields[name]
    if type(value) is not list:
        _refuse(f"a list in {name}", value)
    return value


def _texts(fields: dict[str, Any], name: str) -> list[str]:
    values = _list(fields, name)
    if not all(type(value) is str for value in values):
        _refuse(f"strings in {name}", values)
    return values


def _integers(fields: dict[str, Any], name: str) -> list[int]:
    values = _list(fields, name)
    if not all(type(value) is int for value in values):
        _refuse(f"integers in {name}", values)
    return values


def _text_map(fields: dict[str, Any], name: str) -> dict[str, str]:
    value = fields[name]
    if type(value) is not dict or not all(type(text) is str for text in value.values()):
        _refuse(f"an object of strings in {name}", value)
    return value


def _text(fields: dict[str, Any], name: str) -> str:
    value = _optional_text(fields, name)
    if value is None:
        _refuse(f"a string in {name}", value)
    return value


def _optional_text(fields: dict[str, Any], name: str) -> str | None:
    value = fields[name]
    if value is not None and type(value) is not str:
        _refuse(f"a string in {name}", value)
    return value


def _refuse(expected: str, value: Any) -> NoReturn:
    msg = f"the captured program's report needs {expected}, not {str(value)[:100]}"
    raise ValueError(msg)
