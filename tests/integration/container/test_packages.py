"""What is built in the container runs like what is built on this host, and needs as little."""

from __future__ import annotations

import io
import json
import os
import re
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from integration.container.conftest import CANARY, Builder, Made
from integration.projects import EXAMPLES
from integration.runtime_interface_emulator import invoke
from pyl.architecture import Architecture
from pyl.emulator.runtime_api import Invocation, RuntimeAPI
from pyl.packaging.extraction import unpacked

pytestmark = pytest.mark.compile

ORDER = (EXAMPLES / "orders" / "events" / "order.json").read_bytes()


def contents(package: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(package) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_hello_is_built_with_a_full_image_and_answers_under_the_emulator(example: Callable[[str], Made]) -> None:
    hello = example("hello")
    assert hello.report["image"] == {"kind": "full", "reasons": []}
    assert (hello.report["architecture"], hello.report["runtime"]) == ("x86_64", "provided.al2")
    assert hello.package == hello.project / "build" / "pyl" / "native-x86_64.zip"
    assert f"fileb://{hello.package}" in hello.report["commands"]["create"]
    assert json.loads(invoke(hello.package, "hello", b'{"text": "x"}')) == {"text": "x"}


def test_orders_is_built_with_a_full_image_and_answers_under_the_emulator(example: Callable[[str], Made]) -> None:
    orders = example("orders")
    assert orders.report["image"] == {"kind": "full", "reasons": []}
    assert json.loads(invoke(orders.package, "order", ORDER, {"ORDERS_BUCKET": "example-orders"}))["total"] == "31.70"


@contextmanager
def alone(client: Any, package: Path, variables: dict[str, str]) -> Iterator[Any]:
    """A container that holds the package and nothing else: no C library, no shell, no file that can be written."""
    with unpacked(package) as task, io.BytesIO() as archive:
        with tarfile.open(fileobj=archive, mode="w") as tar:
            tar.add(task, "var/task")
        archive.seek(0)
        image = json.loads(client.api.import_image_from_data(archive.read(), repository="pyl-test-alone"))["status"]
    container = client.containers.create(
        image,
        ["/var/task/bootstrap"],
        environment=variables,
        working_dir="/var/task",
        network_mode="host",
        user="65534:65534",
        read_only=True,
        cap_drop=["ALL"],
        security_opt=["no-new-privileges"],
        mem_limit="128m",
    )
    try:
        container.start()
        yield container
    finally:
        container.remove(force=True, v=True)
        client.images.remove(image, force=True)


@pytest.mark.parametrize(
    ("name", "function", "event", "variables"),
    [
        ("hello", "hello", b'{"text": "x"}', {}),
        ("orders", "order", ORDER, {"ORDERS_BUCKET": "example-orders", "AWS_DEFAULT_REGION": "us-east-1"}),
    ],
)
def test_a_package_runs_in_a_container_with_nothing_in_it_but_the_package(
    builder: Builder,
    example: Callable[[str], Made],
    name: str,
    function: str,
    event: bytes,
    variables: dict[str, str],
) -> None:
    if not builder.variables["DOCKER_HOST"].startswith("unix://"):
        pytest.skip("the engine is on another machine, which does not reach the Runtime API here")
    with RuntimeAPI() as api:
        arn = f"arn:aws:lambda:us-east-1:123456789012:function:{function}"
        api.submit(Invocation(event=event, timeout=20, arn=arn))
        given = {
            "_HANDLER": f"functions.{function}",
            "AWS_LAMBDA_RUNTIME_API": api.address,
            "AWS_LAMBDA_FUNCTION_NAME": function,
            "LAMBDA_TASK_ROOT": "/var/task",
            "LAMBDA_RUNTIME_DIR": "/var/runtime",
            "LD_LIBRARY_PATH": "/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib",
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "PATH": "/usr/local/bin:/usr/bin/:/bin:/opt/bin",
            **variables,
        }
        with alone(builder.client, example(name).package, given) as container:
            answer = api.answers.get(timeout=60)
            log = container.logs().decode()
    assert not answer.error, answer.payload
    expected = {"text": "x"} if name == "hello" else "31.70"
    assert (json.loads(answer.payload) if name == "hello" else json.loads(answer.payload)["total"]) == expected
    if name == "hello":  # boto3 looks at HOME, which engines always set and Lambda does not: from the base image, then
        assert "guard" not in log, log


def test_a_package_that_is_built_again_has_the_same_bytes(builder: Builder, example: Callable[[str], Made]) -> None:
    project = example("hello").project
    built = [
        Path(builder.build(project, "--out", str(project / name), PYL_IMAGE="off").succeeded().json["package"])
        for name in ("first", "second")
    ]
    assert built[0].read_bytes() == built[1].read_bytes()


def test_what_was_compiled_twice_from_nothing_is_the_same(example: Callable[[str], Made]) -> None:
    """Each project has a volume of its own, so that its first build compiles all of it."""
    hello, orders = (contents(example(name).package) for name in ("hello", "orders"))
    compiled = {name for name in hello if re.fullmatch(r"bootstrap|pyl/app/program|pyl/app/site/pyl.*\.so", name)}
    assert {"bootstrap", "pyl/app/program"} < compiled
    assert [name for name in sorted(compiled) if hello[name] != orders[name]] == []


def test_nothing_secret_of_the_hosts_environment_is_in_image_or_package(
    builder: Builder, example: Callable[[str], Made]
) -> None:
    package = example("hello").package
    (image,) = builder.client.images.list("pyl-builder")
    assert CANARY not in json.dumps(image.history())
    assert CANARY not in json.dumps(image.attrs)
    texts = {**contents(package), "log": (package.parent / "native.log").read_bytes()}
    assert [name for name, text in texts.items() if CANARY.encode() in text] == []


def test_a_package_is_its_owners_and_nothing_is_left_in_the_engine(
    builder: Builder, example: Callable[[str], Made]
) -> None:
    hello = example("hello")
    made = [path.stat() for path in (hello.package, hello.package.parent / "native.log")]
    assert {(status.st_uid, status.st_gid) for status in made} == {(os.getuid(), os.getgid())}
    assert sorted(path.name for path in hello.package.parent.iterdir()) == ["native-x86_64.zip", "native.log"]
    assert builder.containers() == []


def test_the_builders_image_serves_every_project(builder: Builder, example: Callable[[str], Made]) -> None:
    example("hello")
    example("orders")
    (image,) = builder.client.images.list("pyl-builder")
    assert f"linux/{image.attrs['Architecture']}" == Architecture.X86_64.container_platform
    assert image.attrs["Config"]["User"] == "1000:1000"
