"""Handlers that depend on nothing that differs among instances. Their images must be full, and used."""

from __future__ import annotations

from truth.case import Case, alone, at_import, in_call

_HELLO = 'def handler(event, context):\n    return {"hello": event["name"]}\n'
_CLASS = """
import abc, functools, weakref

class Base(abc.ABC):
    registry = weakref.WeakValueDictionary()

    @functools.cached_property
    def name(self):
        return type(self).__name__

    def __init_subclass__(cls):
        Base.registry[cls.__name__] = cls

class Order(Base):
    pass

ORDER = Order()
REFERENCE = weakref.ref(ORDER)

def handler(event, context):
    return [sorted(Base.registry), REFERENCE() is ORDER, ORDER.name]
"""
_LOGGING = """
import io, logging

STREAM = io.StringIO()
log = logging.getLogger("app")
log.addHandler(logging.StreamHandler(STREAM))
log.setLevel("INFO")

def handler(event, context):
    STREAM.seek(0)
    STREAM.truncate()
    log.info("called %s", event["name"])
    return STREAM.getvalue()
"""
_CONTEXT = """
import contextvars, decimal

CURRENT = contextvars.ContextVar("current", default=0)
CURRENT.set(3)
decimal.getcontext().prec = 10

def handler(event, context):
    return [CURRENT.get(), str(decimal.Decimal(1) / 3)]
"""
_LOCAL = """
import threading

DATA = threading.local()
DATA.value = 5

def handler(event, context):
    seen = []
    thread = threading.Thread(target=lambda: seen.append(hasattr(DATA, "value")))
    thread.start()
    thread.join()
    return [DATA.value, seen]
"""
_RECURSION = """
import sys

sys.setrecursionlimit(3000)

def depth(n):
    return n and 1 + depth(n - 1)

def handler(event, context):
    return [sys.getrecursionlimit(), depth(2500)]
"""
_GENERATOR = """
def count():
    n = 0
    while True:
        n += 1
        yield n

NUMBERS = count()
next(NUMBERS)

def handler(event, context):
    return next(NUMBERS)
"""
_CACHE = """
import functools

@functools.lru_cache(maxsize=8)
def square(n):
    return n * n

square(3)

def handler(event, context):
    square(3)
    return [square.cache_info().hits, square.cache_info().misses]
"""


def _value(name: str, value: str, imports: str = "os", *, is_chosen: bool = False) -> Case:
    return at_import(name, value, imports=imports, must_be_full=True, is_chosen=is_chosen)


def _call(name: str, value: str, imports: str, before: str = "", *, warm_up: bool = False) -> Case:
    return in_call(name, value, imports=imports, before=before, must_be_full=True, warm_up=warm_up)


CASES = (
    Case("hello", _HELLO, must_be_full=True, is_chosen=True),
    Case("hello_warm", _HELLO, must_be_full=True, warm_up=True),
    Case("classes", _CLASS, must_be_full=True),
    Case("logging_handler", _LOGGING, must_be_full=True),
    Case("context_variables", _CONTEXT, must_be_full=True),
    Case("thread_local", _LOCAL, must_be_full=True),
    Case("recursion", _RECURSION, must_be_full=True),
    Case("generator", _GENERATOR, must_be_full=True),
    Case("lru_cache", _CACHE, must_be_full=True),
    _value("regular_expression", 're.compile(r"a(b+)").match("abb").group(1)', "re"),
    _value("json_parsed", 'json.loads("[1, 2.5, null]")', "json"),
    _value("decimals", 'str(decimal.Decimal("1.10") + 1)', "decimal"),
    _value("fractions_added", "str(fractions.Fraction(1, 3) * 2)", "fractions"),
    _value("digest", 'hashlib.sha256(b"x").hexdigest()', "hashlib"),
    _value("digest_blake", 'hashlib.blake2b(b"x").hexdigest()', "hashlib"),
    _value("signature", 'hmac.new(b"k", b"x", "sha256").hexdigest()', "hmac"),
    _value("base64_text", 'base64.b64encode(b"x").decode()', "base64"),
    _value("compressed", 'zlib.decompress(zlib.compress(b"x")).decode()', "zlib"),
    _value("packed", 'struct.pack(">I", 5).hex()', "struct"),
    _value("date", "datetime.date(2027, 1, 2).isoformat()", "datetime"),
    _value("url_parsed", 'urllib.parse.urlparse("http://a/b?c=d").query', "urllib.parse"),
    _value("statistics_mean", "statistics.mean([1, 2, 3])", "statistics"),
    _value("xml_parsed", 'xml.etree.ElementTree.fromstring("<a b=\'1\'/>").get("b")', "xml.etree.ElementTree"),
    _value("html_escaped", 'html.escape("<a>")', "html"),
    _value("csv_read", 'list(csv.reader(["a,b"]))', "csv"),
    _value("enumeration", 'enum.Enum("E", "A B").B.value', "enum"),
    _value("collections_counter", 'collections.Counter("aab").most_common(1)', "collections"),
    _value("heap_and_bisect", "[heapq.nsmallest(1, [3, 1]), bisect.bisect([1, 3], 2)]", "bisect, heapq"),
    _value("address", 'str(ipaddress.ip_network("10.0.0.0/8").num_addresses)', "ipaddress"),
    _value("inspected", "str(inspect.signature(lambda a, b=1: None))", "inspect"),
    _value("code_compiled", 'eval(compile("1 + 2", "x", "eval"))'),
    _value(
        "pickled",
        "pickle.loads(pickle.dumps([1]))",
        "pickle",
    ),
    _value("tree_parsed", 'len(ast.parse("a = 1").body)', "ast"),
    _value("unicode", 'unicodedata.normalize("NFC", "e\\u0301")', "unicodedata"),
    _value("path_arithmetic", 'str(pathlib.PurePath("/a") / "b")', "pathlib"),
    _value("sys_flags", "list(sys.flags)[:3]", "sys"),
    _value("interpreter_version", "sys.version", "sys"),
    _value("recursion_default", "sys.getrecursionlimit()", "sys"),
    _value("codec_known", 'codecs.lookup("idna").name', "codecs"),
    _call("gc_settings", "[gc.get_threshold(), gc.isenabled()]", "gc", "gc.set_threshold(500, 5, 5)"),
    alone(_call("gc_disabled", "gc.isenabled()", "gc", "gc.disable()")),
    _call("warnings_filtered", "warnings.filters[0][0]", "warnings", 'warnings.simplefilter("ignore")'),
    _call("module_imported_late", "colorsys.rgb_to_hsv(1, 0, 0)", "colorsys"),
    _call("import_in_call", '__import__("wave").__name__', "os"),
    _call("context_object", "[context.function_name, context.memory_limit_in_mb, context.log_stream_name]", "os"),
    _call("event_returned", "event", "os", warm_up=True),
    _call("exception_caught", "E.args", "os", "try:\n    1 / 0\nexcept ZeroDivisionError as error:\n    E = error"),
    _call("trace_back", "traceback.format_exc()", "traceback"),
    _call("set_of_text", "sorted(S)", "os", 'S = {"a", "b"}'),
    _call("array_kept", "A.tolist()", "array", 'A = array.array("i", [1, 2])'),
    _call("exit_handler", "atexit._ncallbacks() > 0", "atexit", "atexit.register(print)"),
    _call("switch_interval", "sys.getswitchinterval()", "sys", "sys.setswitchinterval(0.01)"),
    _call("integer_digits", "sys.get_int_max_str_digits()", "sys", "sys.set_int_max_str_digits(9000)"),
    _call("lock_kept", "[L.acquire(timeout=1), L.release()]", "threading", "L = threading.Lock()"),
    _call("condition_kept", "C.wait(0.01)", "threading", "C = threading.Condition()\nC.acquire()"),
    _call("queue_kept", "[Q.put(2), Q.get(), Q.qsize()]", "queue", "Q = queue.Queue()\nQ.put(1)"),
)
