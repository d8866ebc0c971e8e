"""Wrong input ends in one clear error with its exit code, and the earlier package stays as it was."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from integration.projects import COMMAND, HELLO, Built, Done, environment, run, write_project
from pyl.sandbox import execution

EARLIER = b"the earlier package"
NATIVE = ("build", "--native")
INTERPRETED = ("build",)


def project_with_packages(folder: Path, handlers: str = HELLO, *, dependencies: Sequence[str] = ()) -> Path:
    """A project that has been built before."""
    project = write_project(folder / "shop", {"handlers.py": handlers}, dependencies=dependencies)
    out = project / "build" / "pyl"
    out.mkdir(parents=True)
    for name in ("interpreted.zip", "native-x86_64.zip"):
        (out / name).write_bytes(EARLIER)
    return project


def refused(done: Done, project: Path, code: int, *said: str) -> None:
    """`done` is one error in words, and nothing of `project`'s packages has changed."""
    assert done.code == code, done.err
    assert done.out == ""
    assert "error: " in done.err
    for text in said:
        assert text in done.err
    assert "Traceback" not in done.err
    out = project / "build" / "pyl"
    assert {path.name for path in out.iterdir()} <= {"interpreted.zip", "native-x86_64.zip", "native.log"}
    for package in out.glob("*.zip"):
        assert package.read_bytes() == EARLIER


@pytest.mark.parametrize("command", [INTERPRETED, NATIVE])
class TestBothBuildsRefuse:
    def test_a_folder_without_a_project(self, tmp_path: Path, command: tuple[str, ...]) -> None:
        project = project_with_packages(tmp_path)
        (project / "pyproject.toml").unlink()
        refused(run(*command, cwd=project), project, 2, "PYL301", "no pyproject.toml", "[tool.pyl]")

    def test_a_project_without_functions(self, tmp_path: Path, command: tuple[str, ...]) -> None:
        project = project_with_packages(tmp_path, "def hello(context, event): ...\n")
        refused(run(*command, cwd=project), project, 2, "PYL402")

    def test_a_syntax_error_and_show_its_line(self, tmp_path: Path, command: tuple[str, ...]) -> None:
        project = project_with_packages(tmp_path, HELLO + "\nreturn [\n")
        refused(run(*command, cwd=project), project, 2, "handlers.py:7:", "PYL401", "return [")

    def test_an_import_that_nothing_provides(self, tmp_path: Path, command: tuple[str, ...]) -> None:
        project = project_with_packages(tmp_path, "import no_such_module\n" + HELLO)
        done = run(*command, cwd=project)
        refused(done, project, 3, "handlers.py:1: imports no_such_module", "add the package that provides")

    def test_a_dependency_that_does_not_exist(self, tmp_path: Path, command: tuple[str, ...]) -> None:
        project = project_with_packages(tmp_path, dependencies=["pyl-test-there-is-no-such-package"])
        done = run(*command, cwd=project)
        refused(done, project, 3, "named in pyproject.toml", "pyl-test-there-is-no-such-package")
        assert len(done.err.splitlines()) < 12

    def test_a_version_that_does_not_exist(self, tmp_path: Path, command: tuple[str, ...]) -> None:
        project = project_with_packages(tmp_path, dependencies=["msgspec==0.0.99"])
        refused(run(*command, cwd=project), project, 3, "msgspec==0.0.99")

    def test_native_code_that_has_no_wheel_for_the_target(
        self, tmp_path: Path, command: tuple[str, ...], source_with_c: Path
    ) -> None:
        project = project_with_packages(tmp_path, dependencies=[f"withc @ file://{source_with_c}"])
        refused(run(*command, cwd=project), project, 3, "withc 1.0", "no wheel for the target", "manylinux")

    def test_a_wheel_for_another_platform(self, tmp_path: Path, command: tuple[str, ...]) -> None:
        wheel = empty_wheel(tmp_path, "elsewhere", "macosx_11_0_arm64")
        project = project_with_packages(tmp_path, dependencies=[f"elsewhere @ file://{wheel}"])
        refused(run(*command, cwd=project), project, 3, "elsewhere", "wheel")

    def test_a_folder_that_cannot_be_written(self, tmp_path: Path, command: tuple[str, ...]) -> None:
        project = project_with_packages(tmp_path)
        (tmp_path / "file").write_text("")
        done = run(*command, "--out", tmp_path / "file" / "out", cwd=project)
        refused(done, project, 3, "cannot write", "file/out", "--out")


def test_a_package_that_lambda_would_refuse_is_refused_with_its_parts(tmp_path: Path) -> None:
    project = project_with_packages(tmp_path)
    with (project / "huge.bin").open("wb") as file:
        file.truncate(270 << 20)
    done = run("build", cwd=project)
    refused(done, project, 3, "Lambda accepts at most 262.1 MB", "your code", "dependencies 0.5 MB", "exclude")


def test_a_disk_that_becomes_full_is_told_with_what_to_do(tmp_path: Path) -> None:
    project = project_with_packages(tmp_path)
    (project / "data.bin").write_bytes(os.urandom(6 << 20))
    refused(on_small_disk(project, INTERPRETED), project, 3, "No space left on device", "free some space")


def test_a_native_build_refuses_a_disk_that_is_full_from_the_start(tmp_path: Path) -> None:
    project = project_with_packages(tmp_path)
    (project / "build" / "pyl" / "fill").write_bytes(b"")
    done = on_small_disk(project, NATIVE, fill=True)
    assert done.code == 3, done.err
    assert "No space left on device" in done.err
    assert "Traceback" not in done.err


def test_a_native_build_refuses_to_compile_a_package_that_is_no_dependency(tmp_path: Path) -> None:
    project = project_with_packages(tmp_path)
    with (project / "pyproject.toml").open("a") as file:
        file.write('[tool.pyl.native]\ncompile = ["PyYAML"]\n')
    refused(run(*NATIVE, cwd=project), project, 3, "names PyYAML", "the name that you import")


@pytest.fixture
def broken_compiler(tmp_path: Path) -> str:
    """A PYTHONPATH on which zig is a program that fails."""
    folder = tmp_path / "broken" / "ziglang"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("")
    (folder / "__main__.py").write_text("import sys; print('error: zig is broken'); sys.exit(9)")
    (folder / "zig").write_text("#!/bin/sh\necho 'error: zig is broken'\nexit 9\n")
    (folder / "zig").chmod(0o755)
    return os.pathsep.join(filter(None, [str(folder.parent), os.environ.get("PYTHONPATH")]))


def test_a_compiler_that_fails_at_once_is_shown(tmp_path: Path, broken_compiler: str) -> None:
    project = project_with_packages(tmp_path)
    done = run(*NATIVE, cwd=project, PYTHONPATH=broken_compiler, PYL_CACHE_DIR=str(tmp_path / "cache"))
    refused(
        done, project, 3, "could not compile", "error: zig is broken", str(project / "build" / "pyl" / "native.log")
    )


@pytest.mark.compile
def test_nuitkas_failure_is_shown_in_part_and_kept_in_full(
    tmp_path: Path, broken_compiler: str, example: Callable[[str], Built]
) -> None:
    example("hello")  # so that there is a program already, and the handlers are what is compiled
    project = project_with_packages(tmp_path, HELLO + f"\nNEVER_SEEN = {str(tmp_path)!r}\n")
    done = run(*NATIVE, cwd=project, PYTHONPATH=broken_compiler)
    log = project / "build" / "pyl" / "native.log"
    refused(done, project, 3, "Nuitka could not compile handlers.py", str(log))
    assert len(done.err.splitlines()) < 40
    assert "Nuitka: Starting Python compilation" in log.read_text()
    assert {path.name for path in project.iterdir()} == {"handlers.py", "pyproject.toml", "build"}


def test_headers_that_are_missing_are_named_before_anything_is_done(tmp_path: Path) -> None:
    project = project_with_packages(tmp_path)
    code = (
        "import sysconfig; real = sysconfig.get_path\n"
        "sysconfig.get_path = lambda name, *a, **k: '/no/include' if name == 'include' else real(name, *a, **k)\n"
        "from pyl.cli import main; main()"
    )
    made = subprocess.run(
        [sys.executable, "-c", code, *NATIVE], cwd=project, env=environment(), capture_output=True, text=True
    )
    done = Done(made.returncode, made.stdout, made.stderr)
    refused(done, project, 4, "Python.h", f"python3.{sys.version_info.minor}-dev")
    assert "✓" not in done.err


@pytest.fixture(scope="session")
def source_with_c(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A source distribution with an extension module, whose build needs no compiler: it carries what it made."""
    folder = tmp_path_factory.mktemp("sdist") / "withc-1.0"
    folder.mkdir()
    (folder / "pyproject.toml").write_text(
        '[project]\nname = "withc"\nversion = "1.0"\n\n'
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    )
    (folder / "PKG-INFO").write_text("Metadata-Version: 2.1\nName: withc\nVersion: 1.0\n")
    (folder / "backend.py").write_text(BACKEND)
    archive = shutil.make_archive(str(folder), "gztar", folder.parent, folder.name)
    return Path(archive)


BACKEND = """\
import zipfile

def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    name = "withc-1.0-cp3{minor}-cp3{minor}-linux_x86_64.whl"
    with zipfile.ZipFile(f"{wheel_directory}/{name}", "w") as wheel:
        wheel.writestr("withc.so", b"\\x7fELF")
        info = "withc-1.0.dist-info"
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\\nName: withc\\nVersion: 1.0\\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\\nGenerator: x\\nRoot-Is-Purelib: false\\n"
                       "Tag: cp3{minor}-cp3{minor}-linux_x86_64\\n")
        wheel.writestr(f"{info}/RECORD", "")
    return name
""".replace("{minor}", str(sys.version_info.minor)).replace(
    'f"{wheel_directory}/{name}"', 'wheel_directory + "/" + name'
)


def empty_wheel(folder: Path, name: str, platform: str) -> Path:
    import zipfile

    tag = f"cp3{sys.version_info.minor}-cp3{sys.version_info.minor}-{platform}"
    path = folder / f"{name}-1.0-{tag}.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr(f"{name}.py", "")
        wheel.writestr(f"{name}-1.0.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        wheel.writestr(f"{name}-1.0.dist-info/WHEEL", f"Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: {tag}\n")
        wheel.writestr(f"{name}-1.0.dist-info/RECORD", "")
    return path


def on_small_disk(project: Path, command: Sequence[str], *, fill: bool = False) -> Done:
    """Run `pyl` where the folder for packages is on a disk of 4 MB; its content is put back afterwards."""
    if execution.unavailable() is not None:
        pytest.skip("this machine allows no mount namespace")
    out = project / "build" / "pyl"
    script = 'out=$1; shift; cp -a "$out" "$out.aside" && mount -t tmpfs -o size=4m none "$out" && '
    script += 'cp -a "$out.aside/." "$out/" && '
    if fill:
        script += '(dd if=/dev/zero of="$out/fill" bs=64k status=none 2>/dev/null || true) && '
    script += '"$@"; code=$?; rm -f "$out/fill"; ls -A "$out" > "$out.after"; exit $code'
    own = [] if os.geteuid() == 0 else ["--map-root-user"]
    made = subprocess.run(
        ["unshare", "--mount", *own, "sh", "-c", script, "sh", out, *COMMAND, *command],
        cwd=project,
        env=environment(),
        capture_output=True,
        text=True,
    )
    left = (out.parent / "pyl.after").read_text().split()
    assert set(left) <= {"interpreted.zip", "native-x86_64.zip", "native.log"}
    return Done(made.returncode, made.stdout, made.stderr)
