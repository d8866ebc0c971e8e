"""Handlers as AWS's documentation writes them, for every runtime."""

import decimal
import os
import sys

CALLS = []


def echo(event, context):
    return event


def fail(event, context):
    return deeper(event)


def deeper(event):
    raise ValueError(event)


def custom_error(event, context):
    class Custom_Error2(Exception):  # noqa: N801
        pass

    raise Custom_Error2


def attributes(event, context):
    identity, client_context = context.identity, context.client_context
    return {
        "aws_request_id": context.aws_request_id,
        "log_group_name": context.log_group_name,
        "log_stream_name": context.log_stream_name,
        "function_name": context.function_name,
        "memory_limit_in_mb": context.memory_limit_in_mb,
        "function_version": context.function_version,
        "invoked_function_arn": context.invoked_function_arn,
        "tenant_id": context.tenant_id,
        "identity": [identity.cognito_identity_id, identity.cognito_identity_pool_id],
        "client_context": client_context
        and {
            "custom": client_context.custom,
            "env": client_context.env,
            "client": client_context.client and client_context.client.app_title,
        },
        "w3c": context.w3c(),
        "trace": os.environ.get("_X_AMZN_TRACE_ID"),
        "repr": repr(context).partition("(")[2],
    }


def remaining(event, context):
    return context.get_remaining_time_in_millis()


def log_lines(event, context):
    import logging

    logger = logging.getLogger("orders")
    logger.info("not shown: the level is warning")
    logger.warning("größer than %s", 5)
    context.log("as it is\n")
    print("printed")
    try:
        deeper(event or logger.name)
    except ValueError:
        logger.exception("caught", extra={"order": 7, "who": {1}})
    logging.getLogger().setLevel("INFO")
    logger.info({"a": 1})
    logger.log(25, "between levels")


def leave(event, context):
    print("leaving")
    sys.exit(event)


def decimals(event, context):
    return {"number": decimal.Decimal("12345678901234567890.10"), "nan": decimal.Decimal("NaN")}


def unserializable(event, context):
    return {"a": object}


def circular(event, context):
    loop = []
    loop.append(loop)
    return loop


def binary(event, context):
    return b"\x00\xffbytes"


def evaluate(event, context):
    """Return what the expression gives: every kind of result by one handler."""
    import collections
    import enum

    names = {
        "Pair": collections.namedtuple("Pair", "x y"),
        "Colour": enum.StrEnum("Colour", ["RED"]),
        "Number": enum.IntEnum("Number", ["ONE"]),
        "Decimal": decimal.Decimal,
        "OrderedDict": collections.OrderedDict,
    }
    return eval(event, names)


def kind(event, context):
    return type(event).__name__


def count(event, context):
    CALLS.append(event)
    return len(CALLS)


def size(event, context):
    return "x" * event


def fail_with_text(event, context):
    raise RuntimeError(event["text"] * event.get("times", 1))
