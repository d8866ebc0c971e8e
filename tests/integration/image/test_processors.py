"""An image taken on any processor runs on every x86-64-v3 one. Emulated by QEMU (Debian's package qemu-user), whose
models have no AVX-512.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from integration.image.lambda_environment import Environment
from integration.image.packages import CaptureHandlers
from pyl.image.arch.x86_64 import cpuid
from pyl.image.create import capture
from pyl.image.file import names

QEMU = shutil.which("qemu-x86_64")
emulated = pytest.mark.skipif(QEMU is None, reason="qemu-x86_64 is not installed")
HAS_AVX512 = {"avx512f", "avx512vl", "avx512bw"} <= set(Path("/proc/cpuinfo").read_text().split())

SOURCE = """
import hashlib, ssl, decimal, re, zlib
context = ssl.create_default_context()
def handler(event, context) -> None:
    text = "x" * 100_000
    return [hashlib.sha256(text.encode()).hexdigest(), zlib.crc32(zlib.compress(text.encode())), text.find("y"),
            str(decimal.Decimal(1) / 3), ssl.RAND_bytes(4).hex() != "", re.sub("x", "y", text)[:3]]
"""


@pytest.fixture(scope="module")
def package(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from integration.image import packages

    folder = tmp_path_factory.mktemp("processors") / "package"
    made = packages.with_functions(base, folder, {"handlers.py": SOURCE}, {"handler": "handlers:handler"})
    assert capture(made, environment={"AWS_REGION": "us-east-1"}).kind == "full"
    return made


@emulated
@pytest.mark.parametrize("model", ["Haswell", "Skylake-Server", "EPYC", "max"])
def test_the_full_image_answers_on(package: Path, run: type[Environment], model: str) -> None:
    assert QEMU is not None
    with run(package) as environment:
        expected = environment.invoke()
    with run(package, argv=[QEMU, "-cpu", model, "/var/task/bootstrap"]) as environment:
        assert environment.invoke() == expected
        assert environment.notices == []


@emulated
def test_an_older_processor_gets_a_plain_start_and_a_line_that_says_so(package: Path, run: type[Environment]) -> None:
    assert QEMU is not None
    with run(package, argv=[QEMU, "-cpu", "Nehalem", "/var/task/bootstrap"]) as environment:
        environment.invoke()
        assert "x86-64-v3" in environment.notices[0]["message"]


@pytest.mark.skipif(not HAS_AVX512, reason="this processor has no AVX-512 to be captured with")
def test_an_image_whose_c_library_chose_avx512_is_refused(
    captured: CaptureHandlers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cpuid, "_LEAF7_EBX", cpuid._LEAF7_EBX | 1 << 16 | 1 << 17 | 1 << 28 | 1 << 30 | 1 << 31)
    monkeypatch.setattr(cpuid, "XCR0", 0xE7)
    monkeypatch.setattr(cpuid, "_XSAVE_BYTES", 2696)
    package, result = captured("def handler(event, context): return 1\n")
    assert result.kind == "none"
    assert all("libc.so.6" in reason and "AVX-512" in reason for reason in result.reasons)
    assert not names.size(package)
