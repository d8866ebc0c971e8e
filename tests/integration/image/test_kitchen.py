"""Everything that functions may need besides their own code is there after a restore, too."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from integration.image.lambda_environment import Environment
from integration.projects import Built
from integration.test_dependencies import ANSWERS
from pyl.image.create import capture
from pyl.packaging.native_runtime import NAME

pytestmark = pytest.mark.compile


@pytest.fixture(scope="module")
def package(kitchen: Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The kitchen's native package, which was built without an image, with one."""
    folder = tmp_path_factory.mktemp("kitchen") / "package"
    shutil.copytree(kitchen.folders["native"], folder)
    result = capture(folder, environment={"AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1"})
    assert (result.kind, result.reasons) == ("full", ())
    return folder


def test_a_package_that_was_built_without_an_image_has_the_runtime_in_c(kitchen: Built) -> None:
    assert (kitchen.folders["native"] / "pyl" / "app" / "site" / "pyl" / "runtime" / NAME).is_file()


def test_every_function_answers_from_the_image(package: Path, run: type[Environment]) -> None:
    answers = {}
    for function in ANSWERS:
        names = {"AWS_DEFAULT_REGION": "us-east-1", "AWS_LAMBDA_FUNCTION_NAME": function}
        with run(package, function, names) as environment:
            answers[function] = environment.invoke({})
            assert environment.notices == []
    assert answers == ANSWERS
