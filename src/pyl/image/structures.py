"""C structures that Python writes: declared once, packed here, and generated as C."""

from __future__ import annotations

import struct
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_FORMATS = {"uint32_t": "I", "uint64_t": "Q"}
_LINE = 116


@dataclass(frozen=True)
class Field:
    """One member of a structure."""

    name: str
    type: str | Structure = "uint64_t"
    """`uint32_t`, `uint64_t` or another structure."""
    comment: str = ""

    @property
    def format(self) -> str:
        """Format of `struct`, without a byte order."""
        return self.type.format if isinstance(self.type, Structure) else _FORMATS[self.type]

    @property
    def c_type(self) -> str:
        """Type in C."""
        return f"struct {self.type.name}" if isinstance(self.type, Structure) else self.type


class Structure:
    """A little-endian C structure whose members are naturally aligned without padding."""

    def __init__(self, name: str, *fields: Field, comment: str = "", tail: str = "") -> None:
        """Declare `struct name`.

        Args:
            name: In C.
            fields: Its members.
            comment: What it holds.
            tail: One more member, as C text, whose bytes callers append to those of `pack`.

        Raises:
            ValueError: A compiler would insert padding.
        """
        self.name = name
        self.fields = fields
        self.comment = comment
        self.tail = tail
        self.format = "".join(field.format for field in fields)
        self._packer = struct.Struct(f"<{self.format}")
        if struct.calcsize(f"@{self.format}0Q") != self.size:
            msg = f"struct {name} has padding"
            raise ValueError(msg)

    @property
    def size(self) -> int:
        """Bytes."""
        return self._packer.size

    @property
    def members(self) -> tuple[str, ...]:
        """Names of the fields, in order."""
        return tuple(field.name for field in self.fields)

    def offset(self, name: str) -> int:
        """Return the offset in bytes of the member `name`."""
        position = 0
        for field in self.fields:
            if field.name == name:
                return position
            position += struct.calcsize(f"<{field.format}")
        raise KeyError(name)

    def pack(self, **values: int | Mapping[str, object]) -> bytes:
        """Return the bytes of a structure; members without a value are zero.

        Args:
            values: Integers by member, and for a member that is a structure its values in turn.
        """
        return self._packer.pack(*self._flat(values))

    def unpack_from(self, content: bytes, offset: int = 0) -> dict[str, int]:
        """Return the members of a structure by name; those of a member `table` as `table.offset` and so on."""
        return dict(zip(self._names(), self._packer.unpack_from(content, offset), strict=True))

    def _names(self) -> Iterator[str]:
        for field in self.fields:
            if isinstance(field.type, Structure):
                yield from (f"{field.name}.{name}" for name in field.type._names())  # noqa: SLF001
            else:
                yield field.name

    def _flat(self, values: Mapping[str, object]) -> Iterator[int]:
        unknown = set(values) - {field.name for field in self.fields}
        if unknown:
            msg = f"struct {self.name} has no {', '.join(sorted(unknown))}"
            raise TypeError(msg)
        for field in self.fields:
            value = values.get(field.name, 0)
            if isinstance(field.type, Structure):
                yield from field.type._flat(value if isinstance(value, Mapping) else {})  # noqa: SLF001
            else:
                assert isinstance(value, int)  # noqa: S101 - a member that is a number
                yield value

    def declaration(self) -> str:
        """Return the structure in C, with an assertion of its size."""
        lines = [comment(self.comment)] if self.comment else []
        lines.append(f"struct {self.name} {{")
        for field in self.fields:
            if field.comment:
                lines.append(comment(field.comment, indent=4))
            lines.append(f"    {field.c_type} {field.name};")
        size = str(self.size)
        if self.tail:
            lines.append(f"    {self.tail}")
            member_type = self.tail.rpartition(" ")[0]
            size += f" + sizeof({member_type})"
        lines += ["};", f'_Static_assert(sizeof(struct {self.name}) == {size}, "as Python packs it");', ""]
        return "\n".join(lines)


def comment(text: str, *, indent: int = 0) -> str:
    """Return `text` as a C comment of lines that fit."""
    lead = " " * indent
    lines = textwrap.wrap(f"/* {' '.join(text.split())} */", _LINE - indent - 3)
    return "\n".join([lead + lines[0], *(f"{lead} * {line}" for line in lines[1:])])


def enumeration(members: Mapping[str, int], *, comments: Mapping[str, str] | None = None) -> str:
    """Return constants as an anonymous C enumeration."""
    lines = ["enum {"]
    for name, value in members.items():
        if comments and name in comments:
            lines.append(comment(comments[name], indent=4))
        lines.append(f"    {name} = {value if value < 1024 else hex(value)},")
    return "\n".join([*lines, "};", ""])
