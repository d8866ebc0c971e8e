"""Threads, children, executors, loops, sockets, and open files that the import leaves."""

from __future__ import annotations

from truth.case import Case, prepared

_SEMAPHORE = """
import multiprocessing

try:
    LOCK = multiprocessing.Lock()
    KIND = "lock"
except OSError as error:
    KIND = type(error).__name__

def handler(event, context):
    return KIND
"""
_SHARED_VALUE = """
import multiprocessing

try:
    VALUE = multiprocessing.RawValue("i", 5).value
except FileNotFoundError as error:
    VALUE = error.filename

def handler(event, context):
    return VALUE
"""
_EVENT_LOOP = """
import asyncio

LOOP = asyncio.new_event_loop()

async def work():
    await asyncio.sleep(0.001)
    return "done"

def handler(event, context):
    return LOOP.run_until_complete(work())
"""
_TIMER = """
import threading

TICKS = []

def tick():
    TICKS.append(1)

TIMER = threading.Timer(0.05, tick)
TIMER.daemon = True
TIMER.start()

def handler(event, context):
    TIMER.join(5)
    return len(TICKS)
"""


CASES = (
    prepared(
        "thread_daemon",
        "Q = queue.Queue()\nR = queue.Queue()\n"
        "threading.Thread(target=lambda: [R.put(Q.get() * 2) for _ in iter(int, 1)], daemon=True).start()",
        "[Q.put(2), R.get(timeout=5)]",
        imports="queue, threading",
        is_chosen=True,
    ),
    prepared(
        "thread_raw",
        "L = []\n_thread.start_new_thread(lambda: [time.sleep(0.2), L.append(1)], ())",
        "[time.sleep(0.5), len(L)]",
        imports="_thread, time",
    ),
    prepared(
        "thread_joined",
        "L = []\nT = threading.Thread(target=L.append, args=(1,))\nT.start()\nT.join()",
        "[L, T.is_alive(), threading.active_count()]",
        imports="threading",
        must_be_full=True,
    ),
    Case("thread_timer", _TIMER),
    prepared(
        "pool_unused",
        "P = concurrent.futures.ThreadPoolExecutor(2)",
        "P.submit(sum, [1, 2]).result(5)",
        imports="concurrent.futures",
        must_be_full=True,
    ),
    prepared(
        "pool_used",
        "P = concurrent.futures.ThreadPoolExecutor(2)\nP.submit(sum, [1]).result()",
        "P.submit(sum, [1, 2]).result(5)",
        imports="concurrent.futures",
        is_chosen=True,
    ),
    prepared(
        "pool_in_warm_up",
        "P = concurrent.futures.ThreadPoolExecutor(2)",
        "P.submit(sum, [1, 2]).result(5)",
        imports="concurrent.futures",
        warm_up=True,
    ),
    prepared(
        "pool_closed",
        "with concurrent.futures.ThreadPoolExecutor(2) as P:\n    V = P.submit(sum, [1, 2]).result()",
        "V",
        imports="concurrent.futures",
        must_be_full=True,
    ),
    prepared(
        "log_queue_listener",
        "Q = queue.Queue()\nL = logging.handlers.QueueListener(Q)\nL.start()",
        "L._thread.is_alive()",
        imports="logging.handlers, queue",
    ),
    Case("semaphore", _SEMAPHORE),
    Case("event_loop", _EVENT_LOOP, is_chosen=True),
    prepared(
        "event_loop_run",
        "async def f(): return 1\nV = asyncio.run(f())",
        "[V, asyncio.run(f())]",
        imports="asyncio",
        must_be_full=True,
    ),
    prepared(
        "child_finished",
        'V = subprocess.run(["/bin/echo", "x"], capture_output=True, text=True).stdout',
        "V",
        imports="subprocess",
    ),
    prepared(
        "child_running",
        'P = subprocess.Popen(["/bin/cat"], stdin=-1, stdout=-1)',
        'P.communicate(b"x", timeout=5)[0].decode()',
        imports="subprocess",
        is_chosen=True,
    ),
    prepared("child_sleeping", 'P = subprocess.Popen(["/bin/sleep", "30"])', "P.poll()", imports="subprocess"),
    prepared(
        "child_forked",
        "P = os.fork()\nif not P:\n    time.sleep(20)\n    os._exit(0)",
        "os.waitpid(P, os.WNOHANG)[0]",
        imports="os, time",
    ),
    prepared("child_status", 'S = os.waitstatus_to_exitcode(os.system("exit 3"))', "S", imports="os"),
    prepared(
        "children_usage",
        'os.system("true")',
        "resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss > 0",
        imports="os, resource",
    ),
    prepared(
        "socket_pair",
        "A, B = socket.socketpair()",
        '[A.send(b"x"), B.recv(1).decode()]',
        imports="socket",
        is_chosen=True,
    ),
    prepared(
        "socket_unconnected",
        "S = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)",
        '[S.sendto(b"x", ("127.0.0.1", 2000)), S.fileno() > 2]',
        imports="socket",
    ),
    prepared(
        "socket_listening",
        'S = socket.create_server(("127.0.0.1", 0))',
        "socket.create_connection(S.getsockname()).close()",
        imports="socket",
    ),
    prepared(
        "socket_option",
        "S = socket.socket()\nS.settimeout(3)\nS.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)",
        "[S.gettimeout(), S.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)]",
        imports="socket",
    ),
    prepared(
        "socket_default_timeout",
        "socket.setdefaulttimeout(7)",
        "socket.getdefaulttimeout()",
        imports="socket",
        must_be_full=True,
    ),
    prepared("pipe", "R, W = os.pipe()", '[os.write(W, b"x"), os.read(R, 1).decode()]', imports="os"),
    prepared("eventfd", "E = os.eventfd(3)", "os.eventfd_read(E)", imports="os"),
    prepared("epoll", "E = select.epoll()", "E.poll(0)", imports="select"),
    prepared("memfd", 'M = os.memfd_create("x")\nos.write(M, b"abc")', "os.pread(M, 3, 0).decode()", imports="os"),
    prepared("selector", "S = selectors.DefaultSelector()", "len(S.select(0))", imports="selectors"),
    prepared("file_package", "F = open(__file__)\nF.readline()", "F.tell() > 0 and F.readline()", imports="os"),
    prepared("file_package_raw", "F = os.open(__file__, os.O_RDONLY)", "os.pread(F, 6, 0).decode()", imports="os"),
    prepared(
        "file_tmp_writing",
        'F = open("/tmp/out", "w")\nF.write("a")\nF.flush()',
        '[F.write("b"), F.flush(), open("/tmp/out").read()]',
        imports="os",
        is_chosen=True,
    ),
    prepared(
        "file_tmp_buffered",
        'F = open("/tmp/out", "w")\nF.write("a")',
        '[F.flush(), open("/tmp/out").read()]',
        imports="os",
    ),
    prepared("file_urandom", 'F = open("/dev/urandom", "rb", buffering=0)', "len(F.read(4))", imports="os"),
    prepared("file_null", 'F = open(os.devnull, "w")', 'F.write("x")', imports="os"),
    prepared("file_proc", 'F = open("/proc/self/stat")', "F.read().split()[0]", imports="os"),
    prepared("file_folder", 'F = os.open("/var/task", os.O_RDONLY)', "len(os.listdir(F)) > 0", imports="os"),
    prepared("file_duplicate", "F = os.dup(1)", "os.fstat(F).st_ino == os.fstat(1).st_ino", imports="os"),
    prepared(
        "stdout_replaced",
        "S = sys.stdout\nsys.stdout = io.StringIO()\nprint('kept')",
        "sys.stdout.getvalue()",
        imports="io, sys",
    ),
    prepared(
        "map_anonymous",
        "M = mmap.mmap(-1, 4096)\nM[:3] = b'abc'",
        "bytes(M[:3]).decode()",
        imports="mmap",
        is_chosen=True,
    ),
    prepared(
        "map_private",
        "M = mmap.mmap(-1, 4096, flags=mmap.MAP_PRIVATE)\nM[:3] = b'abc'",
        "bytes(M[:3]).decode()",
        imports="mmap",
    ),
    prepared(
        "map_file",
        "F = open(__file__, 'rb')\nM = mmap.mmap(F.fileno(), 0, access=mmap.ACCESS_READ)",
        "bytes(M[:6]).decode()",
        imports="mmap",
    ),
    prepared(
        "map_tmp",
        'F = open("/tmp/m", "wb+")\nF.truncate(4096)\nM = mmap.mmap(F.fileno(), 4096)\nM[:3] = b"abc"',
        'open("/tmp/m", "rb").read(3).decode()',
        imports="mmap",
    ),
    Case("shared_value", _SHARED_VALUE),
)
