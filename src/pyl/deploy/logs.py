"""Log events of functions from CloudWatch Logs, past and future."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass

from pyl.deploy.aws import AWS, none_if_absent, paginate
from pyl.deploy.log_groups import log_group_name
from pyl.deploy.target import Target
from pyl.errors import UsageError

_POLL_SECONDS = 2.0
_LATE = dt.timedelta(seconds=15)
"""How late an event may arrive after its timestamp."""

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


@dataclass(frozen=True, kw_only=True)
class LogEvent:
    """One log event, of one or more lines."""

    id: str
    time: dt.datetime
    """UTC."""
    stream: str
    message: str
    """Without the final newline."""

    def as_json(self) -> dict[str, str]:
        """Return the object that `pyl logs --json` prints."""
        return {"time": self.time.isoformat(timespec="milliseconds"), "stream": self.stream, "message": self.message}


def parse_time(text: str, now: dt.datetime) -> dt.datetime:
    """Parse `10m`, `2h` or `3d` as a time before `now`, or else an ISO 8601 time (UTC by default).

    Raises:
        UsageError: `text` is neither.
    """
    ago = re.fullmatch(r"([0-9]{1,6})([smhdw])", text)
    try:
        if ago:
            return now - dt.timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        time = dt.datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        msg = f"--since {text} is not a time"
        raise UsageError(msg, hint="use a form like 10m, 2h, 3d, or 2026-10-29T10:24:00") from None
    return time if time.tzinfo else time.replace(tzinfo=dt.UTC)


def find_log_group(aws: AWS, target: Target) -> str:
    """Return the log group of the function: the configured one, or else Lambda's default."""
    with aws.errors(f"find the logs of {target.name}"):
        configuration = none_if_absent(
            lambda: aws.client("lambda").get_function_configuration(FunctionName=target.name)
        )
    configured_group: str | None = ((configuration or {}).get("LoggingConfig") or {}).get("LogGroup")
    return configured_group or log_group_name(target)


def read_events(aws: AWS, group: str, *, since: dt.datetime, pattern: str | None) -> list[LogEvent] | None:
    """Return events since a time in order of their timestamps, or `None` if the log group does not exist.

    Args:
        aws: The account and region.
        group: Name of the log group.
        since: Time of the first event.
        pattern: Filter pattern of CloudWatch Logs.
    """
    client = aws.client("logs")
    arguments = {"logGroupName": group, "startTime": int(since.timestamp() * 1000)}
    if pattern:
        arguments["filterPattern"] = pattern
    with aws.errors(f"read the logs in {group}"):
        records = none_if_absent(lambda: list(paginate(client, "filter_log_events", "events", **arguments)))
    if records is None:
        return None
    events = [
        LogEvent(
            id=record["eventId"],
            time=dt.datetime.fromtimestamp(record["timestamp"] / 1000, dt.UTC),
            stream=record.get("logStreamName", ""),
            message=record["message"].rstrip("\n"),
        )
        for record in records
    ]
    return sorted(events, key=lambda event: event.time)


def follow_events(aws: AWS, group: str, *, since: dt.datetime, pattern: str | None) -> Iterator[LogEvent]:
    """Yield events since a time, forever. Late events are included; none is repeated.

    Args:
        aws: The account and region.
        group: Name of the log group.
        since: Time of the first event.
        pattern: Filter pattern of CloudWatch Logs.
    """
    seen: dict[str, dt.datetime] = {}
    while True:
        for event in read_events(aws, group, since=since, pattern=pattern) or ():
            if event.id not in seen:
                seen[event.id] = event.time
                yield event
        if seen:
            since = max(since, max(seen.values()) - _LATE)
            seen = {identifier: time for identifier, time in seen.items() if time >= since}
        aws.pause(_POLL_SECONDS)
