"""Where awslambdaric's call enters pyl in an interpreted package.

The module's name matters: awslambdaric leaves the frames of files called `bootstrap.py` out at the top of a
stack trace, its own and therefore this one, so that the trace begins in the user's code.
"""

from __future__ import annotations

import os
import sys

from pyl.context import Context
from pyl.json import codec
from pyl.runtime.errors import MARSHAL_ERROR, Fault, message_of, strip_own

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from pyl.runtime.handlers.binding import Binding


def entry(binding: Binding) -> Callable[[Any, Any], Any]:
    """Return the callable that awslambdaric calls with a decoded event and its own context."""
    converter = binding.converter

    def handle(event: Any, lambda_context: Any) -> Any:
        try:
            if converter is not None:
                event = converter.from_object(event)
            result = binding.call(event, as_context(lambda_context))
            return result if isinstance(result, bytes) or codec.is_plain(result) else _encoded(result)
        except Exception as error:
            trace = strip_own(error.__traceback__)
            if isinstance(error, Fault) or trace is None:
                raise as_foreign(error) from error
            raise error.with_traceback(trace)  # noqa: B904 - the same error, without our frames

    return handle


def as_context(original: Any) -> Context:
    """Return pyl's context with everything that awslambdaric's says."""
    context = Context.__new__(Context)
    context.__dict__.update(original.__dict__)
    context.deadline_ms = int(getattr(original, "_epoch_deadline_time_in_ms", 0) or 0)
    context.trace_id = os.environ.get("_X_AMZN_TRACE_ID", "")
    context._w3c = original.w3c() if hasattr(original, "w3c") else {}  # noqa: SLF001 - it is made here
    return context


def as_foreign(error: Exception) -> Exception:
    """Return the exception by which awslambdaric reports this failure with its own type, message and trace.

    Without awslambdaric (a test that calls the handler) it is the failure itself.
    """
    exceptions = sys.modules.get("awslambdaric.lambda_runtime_exception")
    if exceptions is None:
        return error
    if isinstance(error, Fault):
        fault: Exception = exceptions.FaultException(error.error_type, error.message, error.trace)
        return fault
    from pyl.runtime.errors import report

    described = report(error)
    returned: Exception = exceptions.FaultException(described.error_type, described.message, described.trace)
    return returned


def _encoded(result: Any) -> Any:
    """Return something that awslambdaric writes as our own encoder would; streams, of which it knows nothing, whole."""
    try:
        text = codec.encode(result).decode()
    except Exception as error:
        from pyl.runtime.loop import streaming

        stream = streaming.stream_of(result)
        if stream is None:
            msg = f"Unable to marshal response: {message_of(error)}"
            raise Fault(MARSHAL_ERROR, msg) from error
    else:
        raw_json = sys.modules.get("simplejson.raw_json")
        return codec.decode(text.encode()) if raw_json is None else raw_json.RawJSON(text)
    return streaming.buffered(stream)
