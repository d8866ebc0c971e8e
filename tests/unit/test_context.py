"""The context stands alone in a user's test, and speaks AWS's names."""

from __future__ import annotations

import logging
import time

import pytest

from pyl import Context


def test_every_argument_may_be_left_out() -> None:
    context = Context()
    assert (context.request_id, context.deadline_ms, context.invoked_function_arn, context.trace_id) == ("", 0, "", "")
    assert context.client_context is None
    assert (context.identity.cognito_identity_id, context.identity.cognito_identity_pool_id) == (None, None)


def test_what_is_given_is_there_under_both_names() -> None:
    context = Context(aws_request_id="r", invoked_function_arn="arn", trace_id="t", tenant_id="x", function_name="f")
    assert context.request_id == context.aws_request_id == "r"
    assert (context.invoked_function_arn, context.trace_id) == ("arn", "t")
    assert (context.tenant_id, context.function_name) == ("x", "f")


def test_remaining_time_is_that_until_the_deadline() -> None:
    context = Context(deadline_ms=int(time.time() * 1000) + 5000)
    assert 4000 < context.remaining_time_ms <= 5000
    assert 4000 < context.get_remaining_time_in_millis() <= 5000


@pytest.mark.parametrize("deadline", [0, 1_500_000_000_000])
def test_remaining_time_is_never_below_zero(deadline: int) -> None:
    assert Context(deadline_ms=deadline).remaining_time_ms == 0


def test_the_function_is_described_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "orders")
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_VERSION", "7")
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512")
    monkeypatch.setenv("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/orders")
    monkeypatch.setenv("AWS_LAMBDA_LOG_STREAM_NAME", "stream")
    context = Context()
    assert (context.function_name, context.function_version, context.memory_limit_in_mb) == ("orders", "7", "512")
    assert (context.log_group_name, context.log_stream_name) == ("/aws/lambda/orders", "stream")


def test_the_memory_limit_is_a_string_as_on_aws() -> None:
    assert Context(memory_limit_in_mb=128).memory_limit_in_mb == "128"


def test_client_context_and_identity_are_objects() -> None:
    context = Context(
        client_context={"client": {"app_title": "t"}, "custom": {"k": 1}, "w3c": {"tracestate": "s", "other": "o"}},
        identity={"cognitoIdentityId": "i"},
    )
    assert context.client_context is not None
    assert context.client_context.client is not None
    assert context.client_context.client.app_title == "t"
    assert context.client_context.client.app_package_name is None
    assert (context.client_context.custom, context.client_context.env) == ({"k": 1}, None)
    assert context.identity.cognito_identity_id == "i"
    assert context.w3c() == {"tracestate": "s"}
    again = Context(client_context=context.client_context, identity=context.identity)
    assert again.client_context is context.client_context


def test_log_writes_the_message_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    Context().log("no line end")
    Context().log(5)
    assert capsys.readouterr().out == "no line end5"


def test_log_goes_to_lambdas_sink_when_there_is_one() -> None:
    written: list[str] = []

    class Sink:
        log = staticmethod(written.append)

    handler = logging.NullHandler()
    handler.log_sink = Sink()  # type: ignore[attr-defined]
    logging.getLogger().addHandler(handler)
    try:
        Context().log("here")
    finally:
        logging.getLogger().removeHandler(handler)
    assert written == ["here"]


def test_its_text_is_that_of_awss_own() -> None:
    text = repr(Context(aws_request_id="r"))
    assert text.startswith("Context([aws_request_id=r,log_group_name=")
    assert text.endswith("tenant_id=None])")
