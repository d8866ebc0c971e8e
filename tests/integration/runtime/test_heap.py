"""The heap of captured programs serves CPython's own tests, in each of its modes, before and after it has settled."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from pyl.image.capture.protocol import PlacementMode
from pyl.image.launcher.programs import SOURCES as CAPTURE_SOURCES
from pyl.packaging.native_runtime import SOURCES

KEYS = 52 * 2000


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The heap, and a stand-in for the tracer that it asks."""
    made = tmp_path_factory.mktemp("heap") / "heap.so"
    include = Path(sysconfig.get_path("include"))
    command: list[str | Path] = [
        *(sys.executable, "-m", "ziglang", "cc", "-target", "x86_64-linux-gnu.2.26", "-std=c11", "-D_GNU_SOURCE"),
        *("-O1", "-g", "-fPIC", "-shared", "-fvisibility=hidden", "-Wall", "-Wextra", "-Werror", "-Wl,-z,undefs"),
        *("-isystem", include, "-idirafter", include.parent, "-I", SOURCES, "-I", CAPTURE_SOURCES),
        *(
            "-o",
            made,
            SOURCES / "heap.c",
            SOURCES / "environment.c",
            SOURCES / "wiping.c",
            Path(__file__).with_name("tracer.c"),
        ),
    ]
    subprocess.run(command, check=True)
    return made


def python(library: Path, code: str, *, mode: int, keys: int = 0) -> str:
    """What this Python prints when the heap is its allocator from the start."""
    environment = {**os.environ, "LD_PRELOAD": str(library), "PYL_TEST_MODE": str(mode), "PYL_TEST_KEYS": str(keys)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


SUITE = """
import ctypes, sys, unittest
{settle}
loaded = unittest.defaultTestLoader.loadTestsFromNames(
    ["test.test_dict", "test.test_list", "test.test_json"]
)
result = unittest.TextTestRunner(stream=sys.stdout, verbosity=0).run(loaded)
sys.exit(not result.wasSuccessful())
"""
SETTLE = "ctypes.PyDLL({library!r}).settle()"


@pytest.mark.parametrize(
    ("mode", "keys", "settled"),
    [
        (PlacementMode.RECORDED, 0, False),
        (PlacementMode.ISOLATED, KEYS, False),
        (PlacementMode.COMPACT, 0, True),
        (PlacementMode.COMPACT, KEYS, True),
    ],
)
def test_pythons_own_tests_pass_on_it(library: Path, mode: int, keys: int, settled: bool) -> None:
    pytest.importorskip("test.test_dict", reason="this Python came without its tests")
    settle = SETTLE.format(library=str(library)) if settled else ""
    assert "OK" in python(library, SUITE.format(settle=settle), mode=mode, keys=keys)


def test_a_settled_heap_puts_new_objects_apart_from_old_ones(library: Path) -> None:
    code = f"""
import ctypes
old = [bytes(100) for _ in range(1000)]
del old[::2]
{SETTLE.format(library=str(library))}
new = [bytes(100) for _ in range(1000)]
print(len({{id(value) >> 12 for value in old}} & {{id(value) >> 12 for value in new}}))
"""
    assert int(python(library, code, mode=PlacementMode.COMPACT)) == 0


def test_wanted_objects_lie_on_pages_of_their_own_or_together(library: Path) -> None:
    code = "import sys\nprint(len({id(value) >> 12 for value in sys.modules.values()}), len(sys.modules))"
    isolated, count = map(int, python(library, code, mode=PlacementMode.ISOLATED, keys=52 * 20_000).split())
    compact = int(python(library, code, mode=PlacementMode.COMPACT, keys=52 * 20_000).split()[0])
    assert isolated >= count - 2  # some have two names
    assert compact < isolated


def test_memory_of_one_size_comes_back_for_another(library: Path) -> None:
    code = f"""
import ctypes, re
{SETTLE.format(library=str(library))}
for size in range(0, 320, 32):
    many = [bytes(size + n % 2) for n in range(150_000)]
    del many
print(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1])
"""
    megabytes = int(python(library, code, mode=PlacementMode.COMPACT)) / 1024
    assert megabytes < 150  # ten times 150,000 blocks, apart from each other, would be 300
