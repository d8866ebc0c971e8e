"""The decorator leaves the callable what it was."""

from __future__ import annotations

import subprocess
import sys

import pytest

from pyl import function
from pyl.function import Declaration, declaration


def test_the_decorated_callable_is_the_very_same() -> None:
    def handler(context: object, event: object) -> object:
        return event

    assert function(handler) is handler
    assert handler(None, 5) == 5


def test_a_bare_decorator_tells_nothing() -> None:
    @function
    def handler(context: object, event: object) -> None: ...

    declared = declaration(handler)
    assert declared is not None
    assert (declared.name, declared.description) == (None, None)


def test_name_and_description_are_kept() -> None:
    @function(name="n", description="d")
    def handler(context: object, event: object) -> None: ...

    assert repr(declaration(handler)) == repr(Declaration("n", "d"))


def test_empty_parentheses_are_allowed() -> None:
    @function()
    def handler(context: object, event: object) -> None: ...

    assert declaration(handler) is not None


def test_an_undecorated_callable_has_no_declaration() -> None:
    assert declaration(len) is None
    assert declaration(test_an_undecorated_callable_has_no_declaration) is None


@pytest.mark.parametrize("value", [len, 5, "text".upper])
def test_what_cannot_be_marked_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match="decorate a function defined with `def`"):
        function(value)  # type: ignore[call-overload]


@pytest.mark.parametrize(
    "statements",
    [
        "import pyl.function; import pyl; from pyl import function",
        "from pyl.function import MARK; from pyl import function",
        "from pyl import function",
        "import pyl; function = pyl.function",
    ],
)
def test_the_name_is_the_decorator_whatever_was_imported_first(statements: str) -> None:
    subprocess.run([sys.executable, "-c", f"{statements}; assert type(function).__name__ == 'function'"], check=True)


def test_importing_the_decorator_and_the_context_costs_no_library() -> None:
    code = (
        "import sys; before = set(sys.modules); from pyl import Context, function; "
        "new = {name for name in set(sys.modules) - before if not name.startswith('pyl')}; "
        "assert not new & {'typing', 'msgspec', 'json', 're', 'dataclasses', 'inspect'}, new"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_an_unknown_name_of_the_package_is_an_attribute_error() -> None:
    import pyl

    with pytest.raises(AttributeError, match="'pyl' has no attribute 'functon'"):
        pyl.functon  # noqa: B018
    assert {"Context", "after_restore", "before_image", "function"} <= set(dir(pyl))
