"""Annotations of parameters and results as source text: names, unions, quotes."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from pyl.project.analysis.modules import Meaning, Module, Modules, split_dotted_name
from pyl.runtime.handlers.signature import CONTEXT_CLASSES

_UNIONS = frozenset({"typing.Optional", "typing.Union"})


@dataclass(frozen=True)
class Annotation:
    """One annotation of a function."""

    expression: ast.expr
    module: Module
    modules: Modules
    type_parameters: frozenset[str] = frozenset()
    """Names that the function itself binds: `def f[T](...)`."""

    @property
    def is_context(self) -> bool:
        """Whether the annotation is a context class, or a union with one."""
        return any(
            isinstance(part, (ast.Name, ast.Attribute)) and self.meaning(part).name in CONTEXT_CLASSES
            for part in self.alternatives(self.expression)
        )

    @property
    def is_evaluated_at_import(self) -> bool:
        """Whether Python evaluates the annotation when it defines the function."""
        quoted = self.unquoted(self.expression) is not self.expression
        return not (quoted or self.module.bindings.is_lazy)

    @property
    def resolved(self) -> str:
        """The source text with full names of what is imported: `pyl.events.SQSEvent | None`."""
        own_tree = ast.parse(ast.unparse(self.unquoted(self.expression)), mode="eval")
        return ast.unparse(_Expansion(self).visit(own_tree))

    def meaning(self, part: ast.expr) -> Meaning:
        """Return what a name or a dotted name in the annotation stands for: an empty meaning if that is unknown."""
        return self.resolve(part) or Meaning("")

    def resolve(self, part: ast.expr) -> Meaning | None:
        """Return what a name stands for as `meaning` does, but `None` if nothing binds the name."""
        if isinstance(part, ast.Name) and part.id in self.type_parameters:
            return Meaning("")
        return self.modules.resolve(self.module, part)

    def unquoted(self, expression: ast.expr) -> ast.expr:
        """Return the expression inside of a quoted annotation; any other expression as it is."""
        if not (isinstance(expression, ast.Constant) and isinstance(expression.value, str)):
            return expression
        try:
            inner = ast.parse(expression.value.strip(), mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return expression
        for node in ast.walk(inner):
            ast.copy_location(node, expression)
        return inner

    def alternatives(self, expression: ast.expr) -> Iterator[ast.expr]:
        """Yield the members of a union, or the expression itself."""
        expression = self.unquoted(expression)
        if isinstance(expression, ast.BinOp) and isinstance(expression.op, ast.BitOr):
            yield from self.alternatives(expression.left)
            yield from self.alternatives(expression.right)
        elif isinstance(expression, ast.Subscript) and self._base(expression) in _UNIONS:
            for item in subscript_arguments(expression):
                yield from self.alternatives(item)
        else:
            yield expression

    def names(self, expression: ast.expr) -> Iterator[ast.expr]:
        """Yield all names and dotted names, also quoted ones, but no values of `Literal` or metadata of `Annotated`."""
        expression = self.unquoted(expression)
        if isinstance(expression, (ast.Name, ast.Attribute)):
            root: ast.expr = expression
            while isinstance(root, ast.Attribute):
                root = root.value
            yield from [expression] if isinstance(root, ast.Name) else self.names(root)
        elif isinstance(expression, ast.Subscript):
            yield from self.names(expression.value)
            base = self._base(expression)
            items = [] if base.endswith(".Literal") else subscript_arguments(expression)
            for item in items[:1] if base.endswith(".Annotated") else items:
                yield from self.names(item)
        elif not isinstance(expression, (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)):
            for child in ast.iter_child_nodes(expression):
                if isinstance(child, ast.expr):
                    yield from self.names(child)

    def _base(self, expression: ast.Subscript) -> str:
        return self.meaning(expression.value).name


class _Expansion(ast.NodeTransformer):
    """Replaces imported names with their full names."""

    def __init__(self, annotation: Annotation) -> None:
        self.annotation = annotation

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self._expand(node)

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        return self._expand(node)

    def _expand(self, node: ast.expr) -> ast.expr:
        if not split_dotted_name(node):
            self.generic_visit(node)
            return node
        meaning = self.annotation.meaning(node)
        is_own = meaning.module is self.annotation.module
        is_imported = meaning.name and not is_own and not meaning.name.startswith("builtins.")
        return ast.Name(meaning.name) if is_imported else node


def subscript_arguments(expression: ast.Subscript) -> list[ast.expr]:
    """Return the expressions between the brackets of a subscript."""
    return expression.slice.elts if isinstance(expression.slice, ast.Tuple) else [expression.slice]
