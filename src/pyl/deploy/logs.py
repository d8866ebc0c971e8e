"""What functions logged, from CloudWatch Logs, and what they log from now on."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass

from pyl.deploy.aws import AWS, iterate_pages, none_if_absent
from pyl.deploy.log_groups import log_group_name
from pyl.deploy.target import Target
from pyl.errors import UsageError

_POLL_SECONDS = 2.0
_LATE = dt.timedelta(seconds=15)
"""How long after its time an event may come in."""

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


@dataclass(frozen=True, kw_only=True)
class LogEvent:
    """One line, or one record of several lines."""

    id: str
    time: dt.datetime
    """UTC."""
    stream: str
    message: str
    """Without the final newline."""

    def as_json(self) -> dict[str, str]:
        """What `pyl logs --json` prints of it."""
        return {"time": self.time.isoformat(timespec="milliseconds"), "stream": self.stream, "message": self.message}


def moment(text: str, now: dt.datetime) -> dt.datetime:
    """`10m`, `2h`, `3d` ago, or a time in ISO 8601 (UTC unless it says otherwise).

    Raises:
        UsageError: it is neither.
    """
    ago = re.fullmatch(r"([0-9]{1,6})([smhdw])", text)
    try:
        if ago:
            return now - dt.timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        time = dt.datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        msg = f"--since {text} is no time"
        raise UsageError(msg, hint="write 10m, 2h, 3d, or 2026-10-29T10:24:00") from None
    return time if time.tzinfo else time.replace(tzinfo=dt.UTC)


def log_group_of(aws: AWS, target: Target) -> str:
    """Where the function logs to: Lambda's usual group, or the one that it was given."""
    with aws.errors(f"find the logs of {target.name}"):
        configuration = none_if_absent(
            lambda: aws.client("lambda").get_function_configuration(FunctionName=target.name)
        )
    named: str | None = ((configuration or {}).get("LoggingConfig") or {}).get("LogGroup")
    return named or log_group_name(target)


def past(aws: AWS, group: str, *, since: dt.datetime, pattern: str | None) -> list[LogEvent] | None:
    """Events from `since` on, in the order of their time; `None` if there is no such group."""
    client = aws.client("logs")
    arguments = {"logGroupName": group, "startTime": int(since.timestamp() * 1000)}
    if pattern:
        arguments["filterPattern"] = pattern
    with aws.errors(f"read the logs in {group}"):
        listed = none_if_absent(lambda: list(iterate_pages(client, "filter_log_events", "events", **arguments)))
    if listed is None:
        return None
    events = [
        LogEvent(
            id=each["eventId"],
            time=dt.datetime.fromtimestamp(each["timestamp"] / 1000, dt.UTC),
            stream=each.get("logStreamName", ""),
            message=each["message"].rstrip("\n"),
        )
        for each in listed
    ]
    return sorted(events, key=lambda event: event.time)


def followed(aws: AWS, group: str, *, since: dt.datetime, pattern: str | None) -> Iterator[LogEvent]:
    """Events from `since` on, without an end; each once, also those that come in late."""
    seen: dict[str, dt.datetime] = {}
    while True:
        for event in past(aws, group, since=since, pattern=pattern) or ():
            if event.id not in seen:
                seen[event.id] = event.time
                yield event
        if seen:
            since = max(since, max(seen.values()) - _LATE)
            seen = {identifier: time for identifier, time in seen.items() if time >= since}
        aws.pause(_POLL_SECONDS)
