"""Functions whose answers must be the same in a plain start and after a restore. Nothing in them may be random."""

import asyncio
import concurrent.futures
import contextvars
import ctypes
import datetime as dt
import faulthandler
import functools
import gc
import io
import json
import locale
import logging
import mmap
import multiprocessing
import os
import pickle
import queue
import re
import resource
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import weakref
import zoneinfo
from decimal import Decimal

made_at_import = {
    "lock": threading.RLock(),
    "event": threading.Event(),
    "local": threading.local(),
    "queue": queue.Queue(),
    "pool": concurrent.futures.ThreadPoolExecutor(3),
    "context": contextvars.ContextVar("made", default="at import"),
    "pattern": re.compile(r"(a+)+b"),
    "weak": weakref.WeakValueDictionary(),
}
made_at_import["queue"].put("put at import")
made_at_import["local"].value = "main"
logger = logging.getLogger("behaviour")


class Deep:
    def __init__(self, other):
        self.other = other

    def __eq__(self, other):
        return self.other == other.other

    def __hash__(self):
        return 0


class Kept:
    def __del__(self):
        finalized.append("finalized")


finalized = []


def threads(event, context):
    results = made_at_import["queue"]
    workers = [threading.Thread(target=results.put, args=(number,)) for number in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    done = sorted(str(results.get()) for _ in range(results.qsize()))
    with made_at_import["lock"]:
        timer = threading.Timer(0.01, made_at_import["event"].set)
        timer.start()
        heard = made_at_import["event"].wait(10)
    return {
        "sum": sum(made_at_import["pool"].map(lambda n: n * n, range(100))),
        "done": done[:8],
        "heard": heard,
        "local": getattr(made_at_import["local"], "value", None),
        "count": threading.active_count() > 1,
        "main": threading.current_thread() is threading.main_thread(),
        "native id": threading.main_thread().native_id == threading.get_native_id() == os.getpid(),
    }


def children(event, context):
    child = os.fork()
    if child == 0:
        os._exit(7)
    piped = subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    return {
        "fork": os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]),
        "echo": subprocess.run(["/bin/echo", "from a child"], capture_output=True, text=True).stdout.strip(),
        "cat": piped.communicate(b"through a pipe")[0].decode(),
        "shell": subprocess.run("exit 5", shell=True).returncode,
        "environment": subprocess.run(["/usr/bin/env"], capture_output=True, text=True).stdout.count("AWS_REGION="),
        "own id": os.getpid() == int(os.readlink("/proc/self")),
        "missing": type(_error(subprocess.run, ["/no/such/program"])).__name__,
    }


def square(sending, number):
    sending.send((number * number, multiprocessing.parent_process() is not None))
    sending.close()


def processes(event, context):
    squares, parents = [], []
    for number in range(4):
        receiving, sending = multiprocessing.Pipe(duplex=False)
        process = multiprocessing.get_context("fork").Process(target=square, args=(sending, number))
        process.start()
        sending.close()
        answer, has_parent = receiving.recv()
        process.join()
        squares.append(answer)
        parents.append(has_parent)
    return {"squares": squares, "parents": parents, "name": multiprocessing.current_process().name}


def asynchronous(event, context):
    async def talk():
        async def answer(reader, writer):
            writer.write(await reader.readline())
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(b"over a socket\n")
        heard = await reader.readline()
        writer.close()
        server.close()
        program = await asyncio.create_subprocess_exec("/bin/echo", "awaited", stdout=asyncio.subprocess.PIPE)
        output, _ = await program.communicate()
        tasks = await asyncio.gather(*(asyncio.sleep(0.001, number) for number in range(5)))
        in_thread = await asyncio.to_thread(lambda: threading.current_thread() is not threading.main_thread())
        try:
            await asyncio.wait_for(asyncio.sleep(10), 0.01)
        except TimeoutError:
            late = "late"
        return [heard.decode(), output.decode(), tasks, in_thread, late]

    return asyncio.run(talk())


def signals(event, context):
    received = []
    previous = signal.signal(signal.SIGUSR1, lambda *_: received.append(threading.current_thread().name))
    os.kill(os.getpid(), signal.SIGUSR1)
    signal.pthread_kill(threading.main_thread().ident, signal.SIGUSR1)
    signal.signal(signal.SIGUSR1, previous)
    rung = []
    previous = signal.signal(signal.SIGALRM, lambda *_: rung.append("rung"))
    signal.setitimer(signal.ITIMER_REAL, 0.01)
    time.sleep(0.2)
    signal.signal(signal.SIGALRM, previous)
    reading, writing = os.pipe()
    os.close(reading)
    broken = type(_error(os.write, writing, b"x")).__name__
    os.close(writing)
    return {
        "received by": received,
        "alarm": rung,
        "broken pipe": broken,
        "dispositions": {
            name.name: str(signal.getsignal(name)) for name in (signal.SIGPIPE, signal.SIGTERM, signal.SIGHUP)
        },
        "blocked": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])),
        "faults": faulthandler.is_enabled(),
    }


def recursion(event, context):
    def endless(n):
        return endless(n + 1) + 1

    nested = []
    for _ in range(100_000):
        nested = [nested]
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(20_000)
    try:
        deep, other = 1, 1
        for _ in range(300):
            deep, other = Deep(deep), Deep(other)
        compared = Deep(deep) == Deep(other)
    finally:
        sys.setrecursionlimit(limit)
    return {
        "python": type(_error(endless, 0)).__name__,
        "compared": compared,
        "repr": type(_error(repr, nested)).__name__,
        "json": type(_error(json.loads, "[" * 100_000)).__name__,
        "pickle": type(_error(pickle.dumps, nested)).__name__,
        "parser": type(_error(compile, "(" * 500 + ")" * 500, "x", "eval")).__name__,
        "sorting": sorted(range(1000), key=functools.cmp_to_key(lambda a, b: b - a))[:3],
        "stack of a thread": _in_thread(lambda: type(_error(endless, 0)).__name__),
        "stack limit": resource.getrlimit(resource.RLIMIT_STACK)[0] != 0,
    }


def allocations(event, context):
    large = bytearray(96 << 20)
    large[::4096] = b"x" * len(large[::4096])
    many = [bytes(size) for size in range(0, 60_000, 7)]
    view = mmap.mmap(-1, 8 << 20)
    view[-1:] = b"z"
    grown = []
    for number in range(200_000):
        grown.append((number, str(number)))
    cycle = Kept()
    cycle.own = cycle
    del cycle
    gc.collect()
    text = "ä" * (4 << 20)
    return {
        "large": len(large),
        "many": sum(map(len, many)),
        "view": view[-1:].decode(),
        "grown": grown[-1][1],
        "finalized": bool(finalized),
        "collects": gc.isenabled(),
        "text": len(text.encode()),
        "too much": type(_error(bytearray, 1 << 60)).__name__,
        "number": len(str(3**9000)),
    }


def late_imports(event, context):
    import _decimal
    import bz2
    import csv
    import hashlib
    import lzma
    import sqlite3
    import unicodedata
    import xml.etree.ElementTree as Tree
    import zlib

    return [
        str(_decimal.Decimal(1) / 3),
        sqlite3.connect(":memory:").execute("select 42").fetchone()[0],
        hashlib.sha256(b"x").hexdigest(),
        lzma.decompress(lzma.compress(b"x" * 1000)).decode()[:3],
        bz2.decompress(bz2.compress(b"y")).decode(),
        zlib.crc32(b"z"),
        unicodedata.name("ä"),
        Tree.fromstring("<a b='c'/>").attrib,
        next(csv.reader(["1,2"])),
        type(_error(__import__, "no_such_module")).__name__,
    ]


def locales(event, context):
    return {
        "now": locale.setlocale(locale.LC_ALL),
        "encoding": [locale.getpreferredencoding(), sys.getfilesystemencoding(), sys.stdout.encoding],
        "streams": [sys.stdout.errors, sys.stderr.errors, sys.stdin is None],
        "set": str(_error(locale.setlocale, locale.LC_ALL, "xx_XX.UTF-8")),
        "C": locale.setlocale(locale.LC_CTYPE, "C.UTF-8"),
        "number": locale.format_string("%.2f", 1234.5, grouping=True),
        "flags": [sys.flags.utf8_mode, sys.flags.isolated, sys.flags.no_site],
    }


def time_zones(event, context):
    summer = dt.datetime(2025, 7, 1, 12, tzinfo=dt.UTC)
    own = os.environ.get("TZ")
    moved = []
    for zone in ("Europe/Tallinn", "America/New_York"):
        os.environ["TZ"] = zone
        time.tzset()
        moved.append(time.strftime("%H:%M %Z", time.localtime(summer.timestamp())))
    os.environ["TZ"] = own
    time.tzset()
    return {
        "names": list(time.tzname),
        "local": time.strftime("%c %Z", time.localtime(0)),
        "moved": moved,
        "zone": summer.astimezone(zoneinfo.ZoneInfo("Europe/Berlin")).isoformat(),
        "now": abs(time.time() - dt.datetime.now(dt.UTC).timestamp()) < 5,
        "monotonic": time.monotonic() <= time.monotonic(),
        "cpu": time.process_time() >= 0,
    }


def files(event, context):
    folder = tempfile.mkdtemp()
    place = os.path.join(folder, "a file")
    with open(place, "w") as file:
        file.write("text")
    with open(place) as file:
        read = file.read()
    sizes = shutil.disk_usage(folder).total > 0
    shutil.rmtree(folder)
    first, second = socket.socketpair()
    with first, second, select.epoll() as waiting:
        waiting.register(second, select.EPOLLIN)
        first.send(b"x")
        events = len(waiting.poll(5))
    return {
        "read": read,
        "sizes": sizes,
        "events": events,
        "directory": os.getcwd(),
        "task root": type(_error(open, "/var/task/new", "w")).__name__,
        "buffer": io.TextIOWrapper(io.BytesIO(b"a\nb")).readlines(),
        "mask": os.umask(os.umask(0o22)),
        "user": os.getuid() == os.stat("/proc/self").st_uid,
    }


def errors(event, context):
    error = _error(Decimal, "x")
    logger.warning("a warning")
    return {
        "type": type(error).__name__,
        "lines": traceback.format_exception(error)[0],
        "context": made_at_import["context"].get(),
        "pattern": made_at_import["pattern"].match("aab").group(),
        "weak": len(made_at_import["weak"]),
        "c library": ctypes.CDLL(None).abs(-3),
        "hooks": [sys.excepthook is sys.__excepthook__, sys.displayhook is sys.__displayhook__],
        "exit": str(_error(sys.exit, 3)),
    }


def _error(call, *arguments):
    try:
        call(*arguments)
    except BaseException as error:
        return error
    return None


def _in_thread(call):
    found = []
    thread = threading.Thread(target=lambda: found.append(call()))
    thread.start()
    thread.join()
    return found[0]
