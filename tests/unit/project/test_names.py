"""Names that Lambda refuses, and names that a package holds already."""

from __future__ import annotations

from pathlib import Path

import pytest

from pyl.project.analysis.names import find_function_name_problem, find_module_name_problem, find_shadowing_modules


@pytest.mark.parametrize("name", ["a", "send-mail", "Send_2", "-", "x" * 64, "table", "_private"])
def test_names_that_lambda_takes_are_accepted(name: str) -> None:
    assert find_function_name_problem(name) is None


@pytest.mark.parametrize("name", ["", "x" * 65, "a.b", "a b", "größe", "a\n", "TABLE", "Table", "__getattr__", "a/b"])
def test_names_that_lambda_refuses_or_that_mean_something_else_are_told(name: str) -> None:
    problem = find_function_name_problem(name)
    assert problem is not None
    assert problem.hint


def test_a_name_that_would_do_is_proposed() -> None:
    problem = find_function_name_problem("orders.take")
    assert problem is not None
    assert problem.hint.endswith('; "orders-take" would do')


@pytest.mark.parametrize("path", ["my-app/a.py", "app/class.py", "1.py", "a.b.py", "__init__.py", "a b.py"])
def test_modules_that_cannot_be_imported_by_name_are_told(path: str) -> None:
    assert find_module_name_problem(Path("/p", path), Path("/p")) is not None


@pytest.mark.parametrize("path", ["a.py", "app/__init__.py", "app/__main__.py", "größe.py"])
def test_modules_that_can_be_imported_are_accepted(path: str) -> None:
    assert find_module_name_problem(Path("/p", path), Path("/p")) is None


@pytest.mark.parametrize(
    ("paths", "told"),
    [
        (["functions.py"], 1),
        (["functions/a.py", "functions/b.py"], 1),
        (["pyl/x.py"], 1),
        (["logging.py", "email/__init__.py"], 2),
        (["app/functions.py", "app/json.py"], 0),
        (["functions/data.json"], 0),
        (["email/a.py"], 0),  # a folder without __init__.py hides no module
        (["test.py", "handlers.py", "__main__.py"], 0),
    ],
)
def test_modules_that_hide_others_in_lambda_are_told_once(paths: list[str], told: int) -> None:
    source = Path("/p")
    assert len(list(find_shadowing_modules([source / path for path in paths], source))) == told
