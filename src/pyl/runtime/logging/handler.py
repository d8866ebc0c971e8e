"""Root handler of `logging`: awslambdaric's formats, with the request id in each record.

Imported only if the user's code has imported `logging`.
"""

from __future__ import annotations

import logging
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from pyl.runtime.logging.state import LogState

TEXT_FORMAT = "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s\n"
TEXT_DATES = "%Y-%m-%dT%H:%M:%S"
JSON_DATES = "%Y-%m-%dT%H:%M:%SZ"

_FRAME_BASE, _FRAME_STEP = 0xA55A0002, 4
"""Frame type of a JSON record without a level, and the step to each next level. Text is one above JSON."""

_RECORD_FIELDS = frozenset(
    (
        "name",
        "msg",
        "args",
        "levelname",
        "levelno",
        "pathname",
        "filename",
        "module",
        "exc_info",
        "exc_text",
        "stack_info",
        "lineno",
        "funcName",
        "created",
        "msecs",
        "relativeCreated",
        "thread",
        "threadName",
        "processName",
        "process",
        "taskName",
        "aws_request_id",
        "tenant_id",
    )
)
"""Attributes that every record has; all others come from the caller's `extra`."""


def install(state: LogState) -> None:
    """Add the handler to the root logger, or update the existing one after a change of the environment."""
    logging.Formatter.converter = time.gmtime
    root = logging.getLogger()
    handler = next((each for each in root.handlers if isinstance(each, LambdaHandler)), None)
    if handler is None:
        handler = LambdaHandler(state, root.level)
        handler.addFilter(_RequestFilter(state))
        root.addHandler(handler)
    handler.update(root)


class LambdaHandler(logging.Handler):
    """Writes formatted records to the process's sink."""

    def __init__(self, state: LogState, root_level: int) -> None:
        super().__init__()
        self._state = state
        self._own_formatter: logging.Formatter | None = None
        self._own_level = root_level

    @property
    def log_sink(self) -> Any:
        """The process's sink; `Context.log` looks for this name."""
        return self._state.sink

    def update(self, root: logging.Logger) -> None:
        """Take the format and the level from the state, unless the user's code has set its own."""
        if self.formatter is self._own_formatter:
            self._own_formatter = _formatter(self._state)
            self.setFormatter(self._own_formatter)
        level = logging.getLevelNamesMapping().get(self._state.level)
        if level is not None and root.level == self._own_level:
            root.setLevel(level)
            self._own_level = level

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        try:
            self._state.sink.log(self.format(record), self._frame_type(record))
        except Exception:  # noqa: BLE001 - as the handlers of `logging` do
            self.handleError(record)

    def _frame_type(self, record: logging.LogRecord) -> int:
        is_text = 0 if self._state.json else 1
        if not (self._state.json or self._state.level):
            return _FRAME_BASE + 1
        level = _standard_level(record.levelno)
        return _FRAME_BASE + is_text + (level // 10 + 1) * _FRAME_STEP if level else _FRAME_BASE + is_text


def _formatter(state: LogState) -> logging.Formatter:
    return JSONFormatter() if state.json else logging.Formatter(TEXT_FORMAT, TEXT_DATES)


class _RequestFilter(logging.Filter):
    """Adds the current request id and tenant to each record."""

    def __init__(self, state: LogState) -> None:
        super().__init__()
        self._state = state

    def filter(self, record: logging.LogRecord) -> bool:
        record.aws_request_id = self._state.request_id
        record.tenant_id = self._state.tenant_id
        return True


class JSONFormatter(logging.Formatter):
    """Lambda's JSON log format: one object in each line, with its keys in awslambdaric's order."""

    def __init__(self) -> None:
        super().__init__(datefmt=JSON_DATES)
        import json

        self._encode = json.JSONEncoder(ensure_ascii=False, default=str).encode

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line."""
        level = _standard_level(record.levelno)
        fields: dict[str, Any] = {
            "timestamp": self.formatTime(record, self.datefmt),
            "level": logging.getLevelName(level),
            "message": record.msg if isinstance(record.msg, dict) and not record.args else record.getMessage(),
            "logger": record.name,
            **_exception_fields(record),
            "requestId": getattr(record, "aws_request_id", None),
            "location": f"{record.pathname}:{record.funcName}:{record.lineno}" if record.exc_info else None,
            "tenantId": getattr(record, "tenant_id", None),
        }
        for name, value in record.__dict__.items():
            if name not in _RECORD_FIELDS:
                fields.setdefault(name, value)
        return self._encode({name: value for name, value in fields.items() if value is not None}) + "\n"


def _exception_fields(record: logging.LogRecord) -> dict[str, Any]:
    if not record.exc_info or record.exc_info[0] is None:
        return {}
    import traceback

    kind, error, trace = record.exc_info
    return {"stackTrace": traceback.format_tb(trace), "errorType": kind.__name__, "errorMessage": str(error)}


def _standard_level(level: int) -> int:
    """Return the highest standard level that is not above this one."""
    return min(50, max(0, level)) // 10 * 10
