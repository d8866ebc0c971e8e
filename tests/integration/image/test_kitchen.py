"""Everything that functions may need besides their own code is there after a restore, too."""

from __future__ import annotations

import shutil
import sysconfig
from pathlib import Path

import pytest

from integration.projects import Built
from integration.test_dependencies import ANSWERS
from pyl.image.create import capture
from pyl.toolchain.native_runtime import NAME, build_extension

pytestmark = pytest.mark.compile


@pytest.fixture(scope="module")
def package(kitchen: Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The kitchen's native package, which was built without an image, with one."""
    folder = tmp_path_factory.mktemp("kitchen") / "package"
    shutil.copytree(kitchen.folders["native"], folder)
    runtime = folder / "pyl" / "app" / "site" / "pyl" / "runtime"
    runtime.mkdir(parents=True, exist_ok=True)
    build_extension(Path(sysconfig.get_path("include")), runtime / NAME)
    result = capture(folder, environment={"AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1"})
    assert (result.kind, result.reasons) == ("full", ())
    return folder


def test_every_function_answers_from_the_image(package: Path, run) -> None:
    answers = {}
    for function in ANSWERS:
        names = {"AWS_DEFAULT_REGION": "us-east-1", "AWS_LAMBDA_FUNCTION_NAME": function}
        with run(package, function, names) as environment:
            answers[function] = environment.invoke({})
            assert environment.notices == []
    assert answers == ANSWERS
