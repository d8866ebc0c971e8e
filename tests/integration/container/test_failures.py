"""What goes wrong in an engine is said clearly, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from integration.container.conftest import Builder, Made
from integration.projects import COMMAND, HELLO, Done, environment, run, write_project
from pyl.errors import EngineError
from pyl.packaging.container.engine import Engine

pytestmark = [pytest.mark.compile, pytest.mark.alone]

_BEGINS_WITHIN = 120.0


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return write_project(tmp_path / "project", {"handlers.py": HELLO})


@pytest.fixture
def earlier(project: Path) -> Path:
    """A package of before, which no failure may touch."""
    package = project / "build" / "pyl" / "native-x86_64.zip"
    package.parent.mkdir(parents=True)
    package.write_bytes(b"the earlier one")
    return package


def assert_untouched(earlier: Path) -> None:
    assert earlier.read_bytes() == b"the earlier one"
    left = sorted(path.name for path in earlier.parent.iterdir())
    assert [name for name in left if name.startswith(".building")] == []


@contextmanager
def building(builder: Builder, project: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    """A build whose container runs, and has much to compile."""
    variables = environment(**builder.variables)
    command = [*COMMAND, "build", "--native", "--no-cache", "--project", str(project), *options]
    with subprocess.Popen(command, env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            end = time.monotonic() + _BEGINS_WITHIN
            while not any(found.status == "running" for found in _builds(builder)):
                assert process.poll() is None, process.communicate()
                assert time.monotonic() < end
                time.sleep(0.1)
            yield process
        finally:
            process.kill()


def _builds(builder: Builder) -> list[Any]:
    """Return the containers of running builds."""
    containers: list[Any] = builder.client.containers.list(filters={"label": "pyl=build"}, ignore_removed=True)
    return containers


def ended(process: subprocess.Popen[str]) -> Done:
    out, err = process.communicate(timeout=60)
    return Done(process.returncode, out, err)


def test_without_an_engine_the_container_builder_says_where_it_looked(project: Path, tmp_path: Path) -> None:
    address = f"unix://{tmp_path}/nobody.sock"
    done = run("build", "--native", "--builder", "container", "--project", project, DOCKER_HOST=address)
    assert done.code == 4
    assert f"no container engine answers at {address}" in done.err
    assert "DOCKER_HOST" in done.err
    assert "--builder local" in done.err


def test_without_an_engine_linux_builds_by_itself_and_says_so(project: Path, tmp_path: Path) -> None:
    variables = {"DOCKER_HOST": f"unix://{tmp_path}/nobody.sock", "PYL_BUILDER": "", "PYL_IMAGE": "off"}
    done = run("build", "--native", "--project", project, **variables).succeeded()
    assert "using the local builder on this host: no container engine answers" in done.err


@pytest.mark.skipif(os.geteuid() != 0, reason="being somebody else takes root")
def test_an_engine_that_may_not_be_used_is_told_from_one_that_is_not_there(engine: str) -> None:
    if not engine.startswith("unix://"):
        pytest.skip("the engine has no socket")
    os.seteuid(65534)
    try:
        with pytest.raises(EngineError, match="no permission to use the container engine") as caught:
            Engine.connect({"DOCKER_HOST": engine})
    finally:
        os.seteuid(0)
    assert "usermod -aG docker" in (caught.value.hint or "")


def test_a_base_image_that_cannot_be_pulled_is_named(builder: Builder, project: Path, earlier: Path) -> None:
    done = builder.build(project, PYL_BASE_IMAGE="localhost:9/company/base:1")
    assert done.code == 4
    assert "cannot pull the base image localhost:9/company/base:1: the engine cannot reach the server" in done.err
    assert "base_image" in done.err
    assert_untouched(earlier)


def test_a_processor_that_the_engine_cannot_run_is_told(
    builder: Builder, project: Path, earlier: Path, tmp_path: Path
) -> None:
    if Path("/proc/sys/fs/binfmt_misc/qemu-aarch64").exists():
        pytest.skip("this machine runs programs of that processor")
    base = arm_image(builder, tmp_path)
    try:
        done = builder.build(project, "--arch", "arm64", PYL_BASE_IMAGE=base)
    finally:
        builder.client.images.remove(base, force=True)
    assert done.code == 4
    assert "the engine cannot run programs for linux/arm64" in done.err
    assert "binfmt" in done.err
    assert builder.containers() == []
    assert_untouched(earlier)


def arm_image(builder: Builder, folder: Path) -> str:
    """An image for arm64 whose shell is a program for arm64."""
    (folder / "sh.c").write_text("int main(void) { return 0; }")
    compiler = [sys.executable, "-m", "ziglang", "cc", "-target", "aarch64-linux-musl", "-static"]
    subprocess.run([*compiler, "-o", folder / "sh", folder / "sh.c"], check=True)
    (folder / "Dockerfile").write_text("FROM scratch\nCOPY sh /bin/sh\n")
    name = "pyl-test-arm:1"
    builder.client.images.build(path=str(folder), tag=name, platform="linux/arm64", rm=True)
    return name


def test_a_base_without_the_named_python_is_refused(builder: Builder, project: Path, earlier: Path) -> None:
    done = builder.build(project, PYL_BASE_PYTHON="/usr/bin/python4")
    assert done.code == 4
    assert "cannot build the image" in done.err
    assert "/usr/bin/python4" in done.err
    assert_untouched(earlier)


def test_a_failure_inside_is_told_as_one_of_this_host(builder: Builder, tmp_path: Path) -> None:
    project = write_project(tmp_path / "wrong", {"handlers.py": HELLO}, configuration='native.compile = ["nowhere"]\n')
    done = builder.build(project)
    assert done.code == 3
    assert "`compile` in [tool.pyl.native] names nowhere" in done.err
    assert "/build/" not in done.err
    assert builder.containers() == []


def test_ctrl_c_ends_the_container(builder: Builder, project: Path, earlier: Path) -> None:
    with building(builder, project) as process:
        process.send_signal(signal.SIGINT)
        done = ended(process)
    assert done.code == 130
    assert "earlier packages are unchanged" in done.err
    assert builder.containers() == []
    assert_untouched(earlier)


def test_a_build_takes_no_longer_than_it_may(builder: Builder, project: Path, earlier: Path) -> None:
    done = builder.build(project, "--no-cache", "--timeout", "3")
    assert done.code == 3
    assert "the build was stopped after 3 seconds" in done.err
    assert builder.containers() == []
    assert_untouched(earlier)


def test_a_killed_build_speaks_of_memory(builder: Builder, project: Path, earlier: Path) -> None:
    with building(builder, project) as process:
        for container in builder.client.containers.list(filters={"label": "pyl=build"}, ignore_removed=True):
            container.kill()
        done = ended(process)
    assert done.code == 3
    assert "the build was killed (exit code 137)" in done.err
    assert "ran out of memory" in done.err
    assert "GiB in total" in done.err
    assert builder.containers() == []
    assert_untouched(earlier)


def test_a_compile_without_enough_memory_speaks_of_the_engines(builder: Builder, project: Path, earlier: Path) -> None:
    """Most of the container's memory is taken away while it compiles: the kernel kills what asks for more."""
    with building(builder, project) as process:
        for container in builder.client.containers.list(filters={"label": "pyl=build"}, ignore_removed=True):
            container.update(mem_limit="110m", memswap_limit="110m")
        done = ended(process)
    assert done.code == 3
    assert "was killed" in done.err
    assert ": the engine ran out of memory; it has" in done.err
    assert "this machine" not in done.err
    assert builder.containers() == []
    assert_untouched(earlier)


def test_a_full_disk_is_told_from_a_failed_build(builder: Builder, project: Path, earlier: Path) -> None:
    """The volume for what is compiled gets one megabyte."""
    before = {volume.name for volume in builder.client.volumes.list()}
    assert builder.build(project, "--timeout", "1").code == 3
    (volume,) = (volume for volume in builder.client.volumes.list() if volume.name not in before)
    volume.remove()
    small = {"type": "tmpfs", "device": "tmpfs", "o": "size=1m,mode=1777"}
    volume = builder.client.volumes.create(volume.name, driver="local", driver_opts=small, labels={"pyl": "cache"})
    done = builder.build(project)
    volume.remove()
    assert done.code == 4
    assert "the engine's disk is full" in done.err
    assert "pyl cache clean" in done.err
    assert_untouched(earlier)


def test_cleaning_leaves_what_is_in_use(builder: Builder, example: Callable[[str], Made]) -> None:
    example("hello")
    (image,) = builder.client.images.list("pyl-builder")
    kept, unused = [volume.name for volume in builder.client.volumes.list(filters={"label": "pyl"})], "pyl-unused"
    builder.client.volumes.create(unused, labels={"pyl": "cache"})
    leftover = builder.client.containers.create(image.id, labels={"pyl": "build"})
    volumes = {name: {"bind": f"/kept/{name}", "mode": "rw"} for name in kept}
    holder = builder.client.containers.create(image.id, volumes=volumes)
    try:
        done = builder.pyl("cache", "clean", PYL_CACHE_DIR="/nonexistent/pyl").succeeded()
        assert f"volume {unused} removed" in done.out
        assert f"container {leftover.name} removed" in done.out
        left = [volume.name for volume in builder.client.volumes.list(filters={"label": "pyl"})]
        assert sorted(left) == sorted(kept)
        assert builder.client.images.list("pyl-builder") == [image]
    finally:
        holder.remove(force=True)
