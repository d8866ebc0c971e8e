"""The examples, built both ways, answer under AWS's own emulator and under ours, and give the same answers."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from integration import runtime_interface_emulator as rie
from integration.projects import EXAMPLES, Built, Kind, copy_example, run

pytestmark = pytest.mark.compile

Example = Callable[[str], Built]
KINDS: tuple[Kind, ...] = ("interpreted", "native")


def event(example: str) -> bytes:
    (file,) = (EXAMPLES / example / "events").iterdir()
    return file.read_bytes()


@pytest.mark.parametrize("kind", KINDS)
def test_hello_returns_its_input_under_awss_emulator(example: Example, kind: Kind) -> None:
    answer = rie.invoke(example("hello").package(kind), "hello", b'{"name": "J\xc3\xbcrgen", "n": [1, 2.5, null]}')
    assert json.loads(answer) == {"name": "Jürgen", "n": [1, 2.5, None]}


@pytest.mark.parametrize("kind", KINDS)
def test_the_context_holds_what_awss_emulator_says(example: Example, kind: Kind) -> None:
    seen = json.loads(rie.invoke(example("hello").package(kind), "context", b"{}"))
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", seen["request_id"])
    assert seen["invoked_function_arn"] == "arn:aws:lambda:us-east-1:012345678912:function:context"
    assert seen["function_name"] == "context"
    assert seen["function_version"] == "$LATEST"
    assert seen["memory_limit_in_mb"] == "3008"
    assert 0 < seen["remaining_time_ms"] <= 30_000


def test_an_order_gets_the_same_answer_from_both_packages_under_awss_emulator(example: Example) -> None:
    variables = {"ORDERS_BUCKET": "shop-papers"}
    answers = [
        json.loads(rie.invoke(example("orders").package(kind), "order", event("orders"), variables)) for kind in KINDS
    ]
    assert [_without_signature(answer) for answer in answers] == [
        {
            "order_id": "A-1041",
            "total": "31.70",
            "upload_url": "https://shop-papers.s3.amazonaws.com/A-1041/papers.pdf",
            "signed_for": "AKIAIOSFODNN7EXAMPLE",
        }
    ] * 2


def test_a_wrong_order_gets_the_same_error_from_both_packages(example: Example) -> None:
    wrong = b'{"order_id": "A-1041", "customer": "a@example.com", "items": []}'
    answers = [json.loads(rie.invoke(example("orders").package(kind), "order", wrong)) for kind in KINDS]
    assert answers[0]["errorType"] == "Runtime.UnmarshalError"
    assert "$.items" in answers[0]["errorMessage"]
    for answer in answers:
        answer.pop("requestId", None)
    assert answers[0] == answers[1]


@pytest.mark.parametrize("name", ["hello", "orders"])
def test_a_package_with_its_process_image_answers_as_without(example: Example, tmp_path: Path, name: str) -> None:
    """The default of a native build."""
    done = run("build", "--native", "--json", "--project", example(name).project, "--out", tmp_path).succeeded()
    package = Path(done.json["package"])
    if done.json["image"]["kind"] == "none":
        pytest.skip(f"no process image on this machine: {done.json['image']['reasons']}")
    function = done.json["functions"][-1]
    variables = {"ORDERS_BUCKET": "example-orders"}
    answers = [
        json.loads(rie.invoke(each, function, event(name), variables))
        for each in (package, example(name).package("native"))
    ]
    if name == "orders":
        answers = [_without_signature(answer) for answer in answers]
    assert answers[0] == answers[1]


@pytest.mark.parametrize("kind", KINDS)
def test_a_batch_of_messages_is_handled_and_those_that_fail_are_named(example: Example, kind: Kind) -> None:
    assert len(example("sqs").answer(kind, "notify", "--example", "sqs")["handled"]) >= 1
    own = example("sqs").answer(kind, "fulfil", "--example", "event")
    assert list(own) == ["batchItemFailures"]


def test_both_packages_fail_the_same_messages(example: Example) -> None:
    answers = [example("sqs").answer(kind, "fulfil", "--example", "sqs") for kind in KINDS]
    assert answers[0] == answers[1]


def test_both_packages_answer_a_rest_request_alike(example: Example) -> None:
    answers = [example("apigateway").answer(kind, "shop", "--example", "event") for kind in KINDS]
    assert answers[0] == answers[1]
    assert answers[0]["statusCode"] == 201
    assert answers[0]["multiValueHeaders"]["Set-Cookie"][0] == "seen=1; Secure"


@pytest.mark.parametrize("name", ["s3", "dynamodb", "ses"])
def test_the_other_triggers_answer_their_sample_event(name: str, tmp_path: Path) -> None:
    project = copy_example(name, tmp_path)
    built = run("build", "--json", "--project", project).succeeded().json
    for function in built["functions"]:
        done = run("invoke", function, "--project", project, "--example", name).succeeded()
        assert done.json


def _without_signature(receipt: dict[str, Any]) -> dict[str, Any]:
    url = urlsplit(receipt["upload_url"])
    credential = parse_qs(url.query)["X-Amz-Credential"][0]
    return receipt | {
        "upload_url": url._replace(query="").geturl(),
        "signed_for": credential.partition("/")[0],
    }
