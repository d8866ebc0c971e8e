"""The emulator's Runtime API behaves as Lambda's."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator

import pytest

from pyl.emulator.runtime_api import Invocation, RuntimeAPI


@pytest.fixture
def api() -> Iterator[RuntimeAPI]:
    with RuntimeAPI() as running:
        yield running


@pytest.fixture
def client(api: RuntimeAPI) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection(api.address, timeout=5)
    yield connection
    connection.close()


def invocation(event: bytes = b"{}") -> Invocation:
    return Invocation(event=event, timeout=3, arn="arn:aws:lambda:us-east-1:123456789012:function:f")


def post(client: http.client.HTTPConnection, path: str, body: bytes, **headers: str) -> tuple[int, bytes]:
    client.request(
        "POST", f"/2018-06-01/runtime/{path}", body, {name.replace("_", "-"): v for name, v in headers.items()}
    )
    response = client.getresponse()
    return response.status, response.read()


def fetch(client: http.client.HTTPConnection) -> tuple[http.client.HTTPResponse, bytes]:
    client.request("GET", "/2018-06-01/runtime/invocation/next")
    response = client.getresponse()
    return response, response.read()


def test_next_hands_over_the_event_with_lambdas_headers(api: RuntimeAPI, client: http.client.HTTPConnection) -> None:
    sent = invocation(b'{"a": 1}')
    api.submit(sent)
    response, body = fetch(client)
    assert (response.status, body) == (200, b'{"a": 1}')
    assert response.headers["Lambda-Runtime-Aws-Request-Id"] == sent.request_id
    assert response.headers["Lambda-Runtime-Invoked-Function-Arn"] == sent.arn
    left = int(response.headers["Lambda-Runtime-Deadline-Ms"]) / 1000 - time.time()
    assert 2 < left <= 3
    assert "Lambda-Runtime-Trace-Id" not in response.headers


def test_a_response_arrives_as_posted(api: RuntimeAPI, client: http.client.HTTPConnection) -> None:
    sent = invocation()
    api.submit(sent)
    fetch(client)
    assert post(client, f"invocation/{sent.request_id}/response", b'"ok"')[0] == 202
    answer = api.answers.get(timeout=5)
    assert (answer.payload, answer.error) == (b'"ok"', False)


def test_an_error_arrives_with_its_type(api: RuntimeAPI, client: http.client.HTTPConnection) -> None:
    sent = invocation()
    api.submit(sent)
    fetch(client)
    kind = {"Lambda_Runtime_Function_Error_Type": "Function.Oops"}
    assert post(client, f"invocation/{sent.request_id}/error", b"{}", **kind)[0] == 202
    answer = api.answers.get(timeout=5)
    assert (answer.error, answer.error_type) == (True, "Function.Oops")


def test_another_request_id_is_refused(api: RuntimeAPI, client: http.client.HTTPConnection) -> None:
    api.submit(invocation())
    fetch(client)
    status, body = post(client, "invocation/another/response", b"{}")
    assert status == 400
    assert json.loads(body)["errorType"] == "InvalidRequestID"
    assert api.answers.empty()


def test_a_response_over_six_megabytes_is_413_and_an_error_for_the_caller(
    api: RuntimeAPI, client: http.client.HTTPConnection
) -> None:
    sent = invocation()
    api.submit(sent)
    fetch(client)
    assert post(client, f"invocation/{sent.request_id}/response", b"x" * 6_291_557)[0] == 413
    assert api.answers.get(timeout=5).error_type == "Function.ResponseSizeTooLarge"


def test_chunked_bodies_are_put_together(api: RuntimeAPI, client: http.client.HTTPConnection) -> None:
    sent = invocation()
    api.submit(sent)
    fetch(client)
    client.request(
        "POST",
        f"/2018-06-01/runtime/invocation/{sent.request_id}/response",
        iter([b"[1,", b"2]"]),
        {"Transfer-Encoding": "chunked"},
        encode_chunked=True,
    )
    assert client.getresponse().status == 202
    assert api.answers.get(timeout=5).payload == b"[1,2]"


def test_an_initialisation_error_is_kept_and_answered(api: RuntimeAPI, client: http.client.HTTPConnection) -> None:
    api.submit(invocation())
    assert post(client, "init/error", b'{"errorType":"Runtime.ImportModuleError"}')[0] == 202
    assert api.init_error is not None
    assert api.answers.get(timeout=5) is api.init_error


def test_garbage_closes_that_connection_only(api: RuntimeAPI, client: http.client.HTTPConnection) -> None:
    garbage = http.client.HTTPConnection(api.address, timeout=5)
    garbage.connect()
    garbage.sock.sendall(b"nonsense\r\n\r\n")
    assert garbage.sock.recv(10) == b""
    garbage.close()
    api.submit(invocation(b"1"))
    assert fetch(client)[1] == b"1"


def test_leaving_closes_a_runtime_that_waits_for_work() -> None:
    with RuntimeAPI() as api:
        client = http.client.HTTPConnection(api.address, timeout=5)
        client.request("GET", "/2018-06-01/runtime/invocation/next")
        while api.first_next is None:
            time.sleep(0.001)
    with pytest.raises((http.client.HTTPException, ConnectionError)):
        client.getresponse()
    client.close()


def test_an_internal_extension_registers_and_waits(api: RuntimeAPI, client: http.client.HTTPConnection) -> None:
    client.request("POST", "/2020-01-01/extension/register", b'{"events": []}', {"Lambda-Extension-Name": "own"})
    response = client.getresponse()
    assert response.status == 200
    assert response.headers["Lambda-Extension-Identifier"]
    assert json.loads(response.read())["functionVersion"] == "$LATEST"
    client.request("POST", "/2020-01-01/extension/register", b'{"events": ["SHUTDOWN"]}')
    response = client.getresponse()
    assert response.status == 403
    assert b"ShutdownEventNotSupportedForInternalExtension" in response.read()


def test_several_invocations_may_be_under_way(api: RuntimeAPI) -> None:
    """As on Managed Instances, where one environment asks for several."""
    clients = [http.client.HTTPConnection(api.address, timeout=5) for _ in range(3)]
    sent = [invocation(str(number).encode()) for number in range(3)]
    for one in sent:
        api.submit(one)
    got = {}
    for client in clients:
        response, body = fetch(client)
        got[response.headers["Lambda-Runtime-Aws-Request-Id"]] = body
    assert got == {one.request_id: one.event for one in sent}
    for client, request_id in zip(clients, reversed(got), strict=True):
        assert post(client, f"invocation/{request_id}/response", got[request_id])[0] == 202
    assert {api.answers.get(timeout=5).payload for _ in sent} == {b"0", b"1", b"2"}
    for client in clients:
        client.close()


def test_a_runtime_that_connects_anew_loses_no_invocation(api: RuntimeAPI) -> None:
    dropped = http.client.HTTPConnection(api.address, timeout=5)
    dropped.request("GET", "/2018-06-01/runtime/invocation/next")
    while api.first_next is None:
        time.sleep(0.001)
    dropped.close()
    client = http.client.HTTPConnection(api.address, timeout=5)
    client.request("GET", "/2018-06-01/runtime/invocation/next")
    time.sleep(0.05)
    api.submit(invocation(b"1"))
    assert client.getresponse().read() == b"1"
    client.close()
