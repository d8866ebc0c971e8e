"""The annotation of a parameter or a result as its text says it: names, unions, quotes."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from pyl.project.analysis.modules import Meaning, Module, Modules, dotted
from pyl.runtime.handlers.signature import CONTEXT_CLASSES

_UNIONS = frozenset({"typing.Optional", "typing.Union"})


@dataclass(frozen=True)
class Annotation:
    """One annotation of a function's."""

    expression: ast.expr
    module: Module
    modules: Modules
    type_parameters: frozenset[str] = frozenset()
    """Names that the function itself binds: `def f[T](...)`."""

    @property
    def is_context(self) -> bool:
        """Whether it is a context class, or a union with one."""
        return any(
            isinstance(part, (ast.Name, ast.Attribute)) and self.meaning(part).name in CONTEXT_CLASSES
            for part in self.alternatives(self.expression)
        )

    @property
    def is_evaluated_at_import(self) -> bool:
        """Whether Python itself needs the names in it when it defines the function."""
        quoted = self.unquoted(self.expression) is not self.expression
        return not (quoted or self.module.bindings.is_lazy)

    @property
    def resolved(self) -> str:
        """Source text with imported names in full: `pyl.events.SQSEvent | None`."""
        own_tree = ast.parse(ast.unparse(self.unquoted(self.expression)), mode="eval")
        return ast.unparse(_Expansion(self).visit(own_tree))

    def meaning(self, part: ast.expr) -> Meaning:
        """What a name or a dotted name in the annotation stands for; an empty meaning if that cannot be told."""
        return self.resolve(part) or Meaning("")

    def resolve(self, part: ast.expr) -> Meaning | None:
        """As `meaning`, `None` if nothing binds the name."""
        if isinstance(part, ast.Name) and part.id in self.type_parameters:
            return Meaning("")
        return self.modules.resolve(self.module, part)

    def unquoted(self, expression: ast.expr) -> ast.expr:
        """The expression in quotes, if it is one."""
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
        """The members of a union, or the expression itself."""
        expression = self.unquoted(expression)
        if isinstance(expression, ast.BinOp) and isinstance(expression.op, ast.BitOr):
            yield from self.alternatives(expression.left)
            yield from self.alternatives(expression.right)
        elif isinstance(expression, ast.Subscript) and self._base(expression) in _UNIONS:
            for item in arguments(expression):
                yield from self.alternatives(item)
        else:
            yield expression

    def names(self, expression: ast.expr) -> Iterator[ast.expr]:
        """Every name and dotted name, quoted ones too, but not values of `Literal` and notes of `Annotated`."""
        expression = self.unquoted(expression)
        if isinstance(expression, (ast.Name, ast.Attribute)):
            root: ast.expr = expression
            while isinstance(root, ast.Attribute):
                root = root.value
            yield from [expression] if isinstance(root, ast.Name) else self.names(root)
        elif isinstance(expression, ast.Subscript):
            yield from self.names(expression.value)
            base = self._base(expression)
            items = [] if base.endswith(".Literal") else arguments(expression)
            for item in items[:1] if base.endswith(".Annotated") else items:
                yield from self.names(item)
        elif not isinstance(expression, (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)):
            for child in ast.iter_child_nodes(expression):
                if isinstance(child, ast.expr):
                    yield from self.names(child)

    def _base(self, expression: ast.Subscript) -> str:
        return self.meaning(expression.value).name


class _Expansion(ast.NodeTransformer):
    """Writes what is imported by its full name."""

    def __init__(self, annotation: Annotation) -> None:
        self.annotation = annotation

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self._expand(node)

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        return self._expand(node)

    def _expand(self, node: ast.expr) -> ast.expr:
        if not dotted(node):
            self.generic_visit(node)
            return node
        meaning = self.annotation.meaning(node)
        is_own = meaning.module is self.annotation.module
        is_imported = meaning.name and not is_own and not meaning.name.startswith("builtins.")
        return ast.Name(meaning.name) if is_imported else node


def arguments(expression: ast.Subscript) -> list[ast.expr]:
    """What stands between the brackets."""
    return expression.slice.elts if isinstance(expression.slice, ast.Tuple) else [expression.slice]
