"""A package holds the project's code and data, and nothing of what surrounds them."""

from __future__ import annotations

from pathlib import Path

import pytest

from pyl.project.source_files import list_source_files


def found(
    root: Path, *paths: str, source: str = ".", exclude: tuple[str, ...] = (), include: tuple[str, ...] = ()
) -> list[str]:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).touch()
    folder = root if source == "." else root / source
    files = list_source_files(root, folder, exclude=exclude, include=include, left_out=frozenset())
    return [file.relative_to(folder).as_posix() for file in files]


def test_code_and_data_belong_into_a_package(tmp_path: Path) -> None:
    assert found(tmp_path, "b.py", "app/a.py", "app/data.json", "x.so") == ["app/a.py", "app/data.json", "b.py", "x.so"]


@pytest.mark.parametrize(
    "path",
    [
        *("pyproject.toml", "uv.lock", "requirements-dev.txt", "README.md", "LICENSE", "Makefile", "Dockerfile"),
        *("docker-compose.yml", ".env", ".git/x", ".venv/a.py", "venv/a.py", "build/a.py", "dist/a.whl", "a.pyc"),
        *("node_modules/a.py", "app/node_modules/a.py", "app/__pycache__/a.pyc", "x.egg-info/a", "tests/a.py"),
        *("app/tests/a.py", "test_a.py", "app/test_b.py", "conftest.py", "setup.py", "noxfile.py"),
    ],
)
def test_what_surrounds_the_code_does_not(tmp_path: Path, path: str) -> None:
    assert found(tmp_path, path, "a.py") == ["a.py"]


@pytest.mark.parametrize("path", ["app/build/a.py", "app/dist.py", "app/README.md", "testing.py", "app/setup.py"])
def test_names_that_only_mean_something_at_the_top_are_packaged_below(tmp_path: Path, path: str) -> None:
    assert path in found(tmp_path, path)


def test_in_a_source_folder_of_its_own_the_top_level_names_are_free(tmp_path: Path) -> None:
    assert found(tmp_path, "src/build/a.py", "src/README.md", "b.py", source="src") == ["README.md", "build/a.py"]


@pytest.mark.parametrize("mark", ["pyproject.toml", "pyvenv.cfg"])
def test_other_projects_and_virtual_environments_are_left_out(tmp_path: Path, mark: str) -> None:
    assert found(tmp_path, f"other/{mark}", "other/deep/a.py", "a.py") == ["a.py"]


@pytest.mark.parametrize(
    ("pattern", "left"),
    [
        ("a.py", ["b.txt", "lib/b.py", "lib/deep/c.py"]),
        ("*.py", ["b.txt"]),
        ("/*.py", ["b.txt", "lib/a.py", "lib/b.py", "lib/deep/c.py"]),
        ("lib", ["a.py", "b.txt"]),
        ("lib/", ["a.py", "b.txt"]),
        ("lib/*.py", ["a.py", "b.txt", "lib/deep/c.py"]),
        ("lib/**", ["a.py", "b.txt"]),
        ("**/c.py", ["a.py", "b.txt", "lib/a.py", "lib/b.py"]),
        ("lib/**/c.py", ["a.py", "b.txt", "lib/a.py", "lib/b.py"]),
        ("[ab].py", ["b.txt", "lib/deep/c.py"]),
        ("[!a].py", ["a.py", "b.txt", "lib/a.py"]),
        ("?.txt", ["a.py", "lib/a.py", "lib/b.py", "lib/deep/c.py"]),
        ("A.py", ["a.py", "b.txt", "lib/a.py", "lib/b.py", "lib/deep/c.py"]),
        ("[z-a]+(.*", ["a.py", "b.txt", "lib/a.py", "lib/b.py", "lib/deep/c.py"]),
    ],
)
def test_exclude_patterns_read_as_in_gitignore(tmp_path: Path, pattern: str, left: list[str]) -> None:
    files = ("a.py", "b.txt", "lib/a.py", "lib/b.py", "lib/deep/c.py")
    assert found(tmp_path, *files, exclude=(pattern,)) == left


def test_include_wins_over_everything_that_leaves_out(tmp_path: Path) -> None:
    files = ("a.py", "tests/data/x.json", "tests/a.py", "lib/keep.txt", "lib/drop.txt", "README.md", ".hidden/k")
    include = ("tests/data", "lib/keep.txt", "README.md", ".hidden/*")
    expected = [".hidden/k", "README.md", "a.py", "lib/keep.txt", "tests/data/x.json"]
    assert found(tmp_path, *files, exclude=("lib",), include=include) == expected


def test_links_are_followed_but_never_in_circles(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    (shared / "a.py").touch()
    project = tmp_path / "project"
    project.mkdir()
    (project / "common").symlink_to(shared)
    (project / "gone").symlink_to(tmp_path / "nowhere")
    (shared / "back").symlink_to(project)
    assert found(project) == ["common/a.py"]


def test_files_named_by_configuration_alone_are_left_out(tmp_path: Path) -> None:
    found(tmp_path, "a.py", "events/a.json", "events/b.json")
    left_out = frozenset({tmp_path / "events" / "a.json"})
    files = list_source_files(tmp_path, tmp_path, exclude=(), include=(), left_out=left_out)
    assert [file.name for file in files] == ["a.py", "b.json"]
