"""The launcher without an image: a plain start, and what it says when the package is not whole."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import threading
from pathlib import Path

import pytest

from pyl.image.launcher.programs import build_launcher


@pytest.fixture(scope="module")
def launcher(tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("launcher") / "bootstrap"
    build_launcher(output)
    return output


def _system_loader() -> Path:
    for candidate in ("/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-x86-64.so.2"):
        if Path(candidate).exists():
            return Path(candidate).resolve()
    pytest.skip("no glibc loader on this machine")


@pytest.fixture
def package(launcher: Path, tmp_path: Path) -> Path:
    """A package whose program is the system's `env`."""
    app = tmp_path / "package with spaces" / "pyl" / "app"
    app.mkdir(parents=True)
    shutil.copy(_system_loader(), app / "ld-linux-x86-64.so.2")
    environment_printer = shutil.which("env")
    assert environment_printer
    shutil.copy(environment_printer, app / "program")
    listing = subprocess.run([_system_loader(), "--list", app / "program"], capture_output=True, text=True)
    for line in listing.stdout.splitlines():
        if "=>" in line:
            library = Path(line.split("=>")[1].split()[0])
            shutil.copy(library.resolve(), app / library.name)
    folder = app.parent.parent
    shutil.copy(launcher, folder / "bootstrap")
    return folder


def test_it_starts_the_program_with_the_given_environment(package: Path) -> None:
    done = subprocess.run([package / "bootstrap"], env={"A": "1", "B": "x y"}, capture_output=True, text=True)
    assert done.stdout.splitlines() == ["A=1", "B=x y"]
    assert done.returncode == 0


def test_it_passes_the_arguments_on(package: Path) -> None:
    done = subprocess.run([package / "bootstrap", "-u", "A", "C=3"], env={"A": "1"}, capture_output=True, text=True)
    assert done.stdout.splitlines() == ["C=3"]


def test_it_finds_its_folder_when_started_by_a_relative_path_or_a_link(package: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(package / "bootstrap")
    for command, cwd in (("./bootstrap", package), (str(link), Path("/")), ("../bootstrap", package / "pyl")):
        done = subprocess.run([command], env={"A": "1"}, cwd=cwd, capture_output=True, text=True)
        assert done.stdout == "A=1\n", done.stderr


def test_ten_thousand_variables_and_a_megabyte_of_environment_arrive(package: Path) -> None:
    environment = {f"NAME_{i}": "v" * 100 for i in range(10_000)}
    done = subprocess.run([package / "bootstrap"], env=environment, capture_output=True, text=True)
    assert len(done.stdout.splitlines()) == 10_000


@pytest.mark.parametrize("missing", ["program", "ld-linux-x86-64.so.2"])
def test_a_missing_file_is_named_in_one_line(package: Path, missing: str) -> None:
    (package / "pyl" / "app" / missing).unlink()
    done = subprocess.run([package / "bootstrap"], env={}, capture_output=True, text=True)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    said = json.loads(line)
    assert said["errorType"] == "Runtime.InvalidPackage"
    assert said["detail"] == str(package / "pyl" / "app" / missing)


def test_a_missing_file_is_reported_to_the_runtime_api(package: Path) -> None:
    (package / "pyl" / "app" / "program").unlink()
    received = bytearray()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                while b"stackTrace" not in received:
                    received.extend(connection.recv(65536))
                connection.sendall(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        environment = {"AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{server.getsockname()[1]}"}
        done = subprocess.run([package / "bootstrap"], env=environment, capture_output=True, text=True)
        thread.join()
    assert done.returncode == 1
    head, _, body = bytes(received).partition(b"\r\n\r\n")
    assert head.startswith(b"POST /2018-06-01/runtime/init/error HTTP/1.1\r\n")
    assert b"Lambda-Runtime-Function-Error-Type: Runtime.InvalidPackage" in head
    assert json.loads(body)["errorType"] == "Runtime.InvalidPackage"
    assert len(body) == int(head.split(b"Content-Length: ")[1].split(b"\r\n")[0])


def test_it_runs_in_a_root_that_holds_nothing_but_the_package(package: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("chroot needs root here")
    done = subprocess.run(
        ["/bootstrap"],
        env={"A": "1"},
        capture_output=True,
        text=True,
        preexec_fn=lambda: os.chroot(package),
    )
    assert done.stdout == "A=1\n", done.stderr
