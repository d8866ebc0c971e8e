"""A problem reads like ruff's: place, code, message, the source line with carets, a hint."""

from __future__ import annotations

from pathlib import Path

from pyl.project.diagnostics import Code, Diagnostic, count_noun, plain, render_diagnostic, sort_diagnostics


def diagnostic(folder: Path, source: str, line: int = 1, column: int = 1, width: int = 1) -> Diagnostic:
    file = folder / "app" / "a.py"
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(source.encode())
    code = Code.NO_CONTEXT
    return Diagnostic(code=code, message="wrong", hint="mend", file=file, line=line, column=column, width=width)


def test_the_source_line_is_shown_with_carets_below(tmp_path: Path) -> None:
    shown = render_diagnostic(diagnostic(tmp_path, "\n" * 9 + "def f(x):\n", 10, 5), tmp_path)
    assert shown.splitlines() == [
        "app/a.py:10:5: PYL102 wrong",
        "   |",
        "10 | def f(x):",
        "   |     ^",
        "   = hint: mend",
    ]


def test_carets_stay_below_what_they_mark_behind_tabs_and_wide_characters(tmp_path: Path) -> None:
    lines = render_diagnostic(diagnostic(tmp_path, "\t'東京é' + x\r\n", 1, 10, 1), tmp_path).splitlines()
    assert lines[2] == "1 |  '東京é' + x"
    assert lines[3].index("^") == lines[2].index("x") + 2


def test_carets_end_with_the_line(tmp_path: Path) -> None:
    lines = render_diagnostic(diagnostic(tmp_path, "abc\n", 1, 2, 50), tmp_path).splitlines()
    assert lines[3] == "  |  ^^"
    beyond = render_diagnostic(diagnostic(tmp_path, "abc\n", 1, 40, 3), tmp_path).splitlines()
    assert beyond[3].count("^") == 1


def test_without_the_file_or_the_line_only_the_text_is_shown(tmp_path: Path) -> None:
    nowhere = Diagnostic(code=Code.VALUE_TYPE, message="wrong", hint="one\ntwo")
    assert render_diagnostic(nowhere, tmp_path) == "PYL305 wrong\n = hint: one\n         two"
    gone = diagnostic(tmp_path, "x\n", 3)
    assert render_diagnostic(gone, tmp_path) == "app/a.py:3:1: PYL102 wrong\n = hint: mend"
    assert gone.file is not None
    gone.file.unlink()
    assert render_diagnostic(gone, tmp_path) == "app/a.py:3:1: PYL102 wrong\n = hint: mend"


def test_terminal_control_characters_of_the_source_are_not_printed(tmp_path: Path) -> None:
    assert "\x1b" not in render_diagnostic(diagnostic(tmp_path, "x = '\x1b[2J'\n"), tmp_path)


def test_roles_are_painted_and_nothing_else_changes(tmp_path: Path) -> None:
    found = diagnostic(tmp_path, "abc\n", 1, 2, 2)
    roles = []

    def paint(role: str, text: str) -> str:
        roles.append(role)
        return plain(role, text)

    assert render_diagnostic(found, tmp_path, paint=paint) == render_diagnostic(found, tmp_path)
    assert set(roles) == {"place", "code", "frame", "mark", "hint"}


def test_files_are_named_relative_to_the_project_where_they_are_below_it(tmp_path: Path) -> None:
    found = diagnostic(tmp_path, "x\n")
    assert found.as_json(tmp_path) == {
        "code": "PYL102",
        "message": "wrong",
        "hint": "mend",
        "file": "app/a.py",
        "line": 1,
        "column": 1,
    }
    assert found.location(tmp_path / "elsewhere") == str(tmp_path / "app" / "a.py")


def test_the_same_problem_found_twice_is_told_once(tmp_path: Path) -> None:
    found = diagnostic(tmp_path, "x\n")
    assert sort_diagnostics([found, diagnostic(tmp_path, "x\n")]) == [found]


def test_numbers_agree_with_their_nouns() -> None:
    assert [count_noun(number, "problem") for number in (0, 1, 2)] == ["no problems", "1 problem", "2 problems"]


def test_slugs_are_unique_and_codes_of_a_family_are_together() -> None:
    assert len({code.slug for code in Code}) == len(Code)
    assert [str(code) for code in Code] == sorted(str(code) for code in Code)
