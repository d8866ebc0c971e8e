"""Times that the import reads and keeps, and the time zone."""

from __future__ import annotations

from truth.case import Case, Expectation, alone, at_import, in_call, in_warm_up

_N: Expectation = "noted"

_TTL = """
import time

EXPIRES = time.monotonic() + 3600

def handler(event, context):
    return EXPIRES > time.monotonic()
"""

CASES = (
    at_import("time_kept", "time.time()", imports="time", expectation=_N, is_chosen=True),
    at_import("monotonic_kept", "time.monotonic()", imports="time", expectation=_N),
    at_import("perf_counter_kept", "time.perf_counter()", imports="time", expectation=_N),
    at_import("time_ns_kept", "time.time_ns()", imports="time", expectation=_N),
    at_import("process_time_kept", "time.process_time()", imports="time", expectation=_N),
    at_import("boottime_kept", "time.clock_gettime(time.CLOCK_BOOTTIME)", imports="time", expectation=_N),
    at_import("now_kept", "datetime.datetime.now().isoformat()", imports="datetime", expectation=_N),
    at_import("utc_now_kept", "datetime.datetime.now(datetime.UTC).isoformat()", imports="datetime", expectation=_N),
    at_import("local_time_kept", "time.asctime()", imports="time", expectation=_N),
    at_import("today_kept", "datetime.date.today().isoformat()", imports="datetime", expectation=_N),
    Case("expiry_kept", _TTL, _N),
    in_call("uptime", "time.time() - STARTED >= 0", imports="time", before="STARTED = time.time()", expectation=_N),
    in_call(
        "monotonic_difference",
        "time.monotonic() - STARTED",
        imports="time",
        before="STARTED = time.monotonic()",
        expectation=_N,
    ),
    in_warm_up("time_in_warm_up", "time.time()", imports="time", expectation=_N),
    at_import("proc_uptime", 'open("/proc/uptime").read()', imports="os", expectation=_N),
    at_import("time_zone", "[time.tzname, time.timezone, time.daylight]", imports="time", must_be_full=True),
    at_import("local_epoch", "time.strftime('%c %Z', time.localtime(0))", imports="time", must_be_full=True),
    at_import("local_offset", "datetime.datetime.fromtimestamp(0).isoformat()", imports="datetime", must_be_full=True),
    alone(
        in_call("time_zone_set", "time.tzname", imports="os, time", before='os.environ["TZ"] = "EST5EDT"\ntime.tzset()')
    ),
    in_call(
        "clock_in_call",
        "abs(time.time() - datetime.datetime.now().timestamp()) < 5",
        imports="datetime, time",
        must_be_full=True,
    ),
    in_call("sleep_in_call", "time.sleep(0.01)", imports="time", must_be_full=True),
    in_call("monotonic_in_call", "time.monotonic() < 6 * 86400", imports="time", must_be_full=True),
)
