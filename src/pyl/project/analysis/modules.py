"""The modules of a project as syntax trees, and the meaning of their names across imports."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pyl.project.analysis.bindings import Bindings, Definition, Import, read_bindings
from pyl.project.diagnostics import Code, Diagnostic


@dataclass(frozen=True, eq=False)
class Module:
    """One Python file."""

    name: str
    file: Path
    tree: ast.Module
    bindings: Bindings
    lines: tuple[bytes, ...]
    """The source, for columns: `ast` counts them in UTF-8 bytes."""

    def diagnostic(self, node: ast.AST, code: Code, message: str, hint: str, *, width: int = 0) -> Diagnostic:
        """Return a diagnostic at a node.

        Args:
            node: The node that is marked, up to the end of its first line.
            code: The kind of problem.
            message: What is wrong.
            hint: What to do.
            width: Characters to mark, if not those of the node.
        """
        line, column = getattr(node, "lineno", 1), self._column(node, "lineno", "col_offset")
        if not width and getattr(node, "end_lineno", None) == line:
            width = self._column(node, "end_lineno", "end_col_offset") - column
        return Diagnostic(
            code=code,
            message=message,
            hint=hint,
            file=self.file,
            line=line,
            column=column,
            width=max(width, 1),
        )

    def definition_name(self, node: Definition) -> tuple[int, int]:
        """Return the 1-based line and column of the name in a `def` or `class`."""
        keyword = {"ClassDef": "class ", "AsyncFunctionDef": "async def "}.get(type(node).__name__, "def ")
        return node.lineno, self._column(node, "lineno", "col_offset") + len(keyword)

    def definition_diagnostic(self, node: Definition, code: Code, message: str, hint: str) -> Diagnostic:
        """Return a diagnostic about a function or a class as a whole, at its name."""
        line, column = self.definition_name(node)
        return Diagnostic(
            code=code,
            message=message,
            hint=hint,
            file=self.file,
            line=line,
            column=column,
            width=len(node.name),
        )

    def _column(self, node: ast.AST, line_name: str, offset_name: str) -> int:
        line: int = getattr(node, line_name, 1)
        offset: int = getattr(node, offset_name, 0)
        if line > len(self.lines):
            return offset + 1
        return len(self.lines[line - 1][:offset].decode("utf-8", "replace")) + 1


@dataclass(frozen=True)
class Meaning:
    """What a name stands for."""

    name: str
    """Absolute dotted name: `pyl.events.SQSEvent`, `builtins.dict`, `app.orders.Order`."""
    definition: Definition | ast.expr | None = None
    """Where the project itself defines it."""
    module: Module | None = None
    """The module of `definition`."""
    is_module: bool = False
    for_type_checkers: bool = False
    """Imported under `if TYPE_CHECKING:` by the module that uses it."""


class Modules(Mapping[str, Module]):
    """All modules of a project, by dotted name."""

    def __init__(self, modules: Iterable[Module]) -> None:
        self._modules = {module.name: module for module in modules}

    def __getitem__(self, name: str) -> Module:
        return self._modules[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __len__(self) -> int:
        return len(self._modules)

    def resolve(self, module: Module, expression: ast.expr) -> Meaning | None:
        """Return the meaning of a name or a dotted name in a module, or `None` if nothing binds it.

        The meaning is empty if only `import *` from outside of the project may bind the name.
        """
        chain = split_dotted_name(expression)
        return self._resolve(module, chain, frozenset()) if chain else Meaning("")

    def _resolve(self, module: Module, chain: tuple[str, ...], seen: frozenset[tuple[str, str]]) -> Meaning | None:
        head, rest = chain[0], chain[1:]
        if (module.name, head) in seen:
            return Meaning("")
        seen |= {(module.name, head)}
        if head not in module.bindings.names:
            return self._resolve_unbound(module, chain, seen)
        binding = module.bindings.names[head]
        if isinstance(binding, Import):
            return self._resolve_import(binding, rest, seen)
        if isinstance(binding, (ast.Name, ast.Attribute)):
            target = split_dotted_name(binding)
            if target:
                return self._resolve(module, (*target, *rest), seen) or Meaning("")
        definition = None if rest else binding
        return Meaning(".".join((module.name, *chain)), definition, module)

    def _resolve_import(self, binding: Import, rest: tuple[str, ...], seen: frozenset[tuple[str, str]]) -> Meaning:
        parts = (*binding.target.split("."), *rest)
        meaning = self._resolve_absolute(parts, seen)
        is_module = meaning.is_module or (binding.is_module and not rest)
        return Meaning(meaning.name, meaning.definition, meaning.module, is_module, binding.for_type_checkers)

    def _resolve_absolute(self, parts: tuple[str, ...], seen: frozenset[tuple[str, str]]) -> Meaning:
        name = ".".join(parts)
        if name in self._modules:
            return Meaning(name, is_module=True)
        for length in range(len(parts) - 1, 0, -1):
            module = self._modules.get(".".join(parts[:length]))
            if module is not None:
                return self._resolve(module, parts[length:], seen) or Meaning(name)
        return Meaning(name)

    def _resolve_unbound(
        self, module: Module, chain: tuple[str, ...], seen: frozenset[tuple[str, str]]
    ) -> Meaning | None:
        for star in module.bindings.stars:
            inner = self._modules.get(star)
            if inner is not None:
                meaning = self._resolve(inner, chain, seen)
                if meaning is not None and not meaning.name.startswith("builtins."):
                    return meaning
            elif star in STAR_NAMES and chain[0] in STAR_NAMES[star]:
                return Meaning(".".join((star, *chain)))
        if hasattr(builtins, chain[0]):
            return Meaning(".".join(("builtins", *chain)))
        foreign = any(star not in self._modules and star not in STAR_NAMES for star in module.bindings.stars)
        return Meaning("") if foreign else None


STAR_NAMES: Mapping[str, frozenset[str]] = {
    "pyl": frozenset({"Context", "after_restore", "before_image", "before_shutdown", "function"}),
}
"""The names that `from <module> import *` binds, for modules outside of the project that matter here."""


def split_dotted_name(expression: ast.expr) -> tuple[str, ...]:
    """Return the parts of an expression like `a.b.c`; nothing for every other expression."""
    parts: list[str] = []
    while isinstance(expression, ast.Attribute):
        parts.append(expression.attr)
        expression = expression.value
    if not isinstance(expression, ast.Name):
        return ()
    return (expression.id, *reversed(parts))


def module_name(file: Path, source: Path) -> str:
    """Return the dotted import name of a file below `source`; empty for `source/__init__.py`."""
    parts = list(file.relative_to(source).with_suffix("").parts)
    if parts[-1] == "__init__":
        parts.pop()
    return ".".join(parts)


def parse_module(file: Path, source: Path) -> Module | Diagnostic:
    """Read one file, or return why it cannot be read."""
    try:
        content = file.read_bytes()
    except OSError as error:
        message = f"cannot read {file.name}: {error.strerror}"
        return Diagnostic(code=Code.SYNTAX_ERROR, message=message, hint="make it readable, or exclude it", file=file)
    try:
        tree = ast.parse(content, filename=str(file))
    except SyntaxError as error:
        return _syntax_error(file, error.msg, error.lineno, error.offset)
    except ValueError as error:  # NUL bytes
        return _syntax_error(file, str(error), 1, 1)
    except (RecursionError, MemoryError):  # what CPython's parser raises for thousands of brackets
        return _syntax_error(file, "the code nests too deeply", 1, 1)
    name = module_name(file, source)
    bindings = read_bindings(tree, name, is_package=file.name == "__init__.py")
    return Module(name, file, tree, bindings, tuple(content.removeprefix(b"\xef\xbb\xbf").splitlines()))


def _syntax_error(file: Path, message: str, line: int | None, column: int | None) -> Diagnostic:
    return Diagnostic(
        code=Code.SYNTAX_ERROR,
        message=f"syntax error: {message}",
        hint="fix it, or leave the file out with `exclude` in [tool.pyl]",
        file=file,
        line=line or 1,
        column=max(column or 1, 1),
    )
