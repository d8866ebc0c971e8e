"""A processor that does nothing but note what it was asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from pyl.image.arch.x86_64.processor import X86_64


@dataclass
class Recording(X86_64):
    """x86-64 without a thread: `registers` are what `read_registers` returns."""

    registers: Any = None
    injected: list[tuple[int, ...]] = field(default_factory=list)

    def read_registers(self, thread: int) -> Any:
        return self.registers

    def inject(self, thread: int, number: int, *arguments: int, at: int = 0) -> int:
        self.injected.append((number, *arguments))
        return 0


def registers(**values: Any) -> SimpleNamespace:
    """Registers of which `written` says whether they were given to the thread."""
    made = SimpleNamespace(written=False, repeated=False, **values)
    made.write = lambda: setattr(made, "written", True)
    made.repeat_system_call = lambda: setattr(made, "repeated", True)
    return made
