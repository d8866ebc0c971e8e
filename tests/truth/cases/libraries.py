"""Packages with native code, threads, or generators of their own, as people use them at import."""

from __future__ import annotations

from truth.case import Case, at_import, in_call

_DUCKDB = """
import duckdb

CONNECTION = duckdb.connect()
{import_}

def handler(event, context):
    return CONNECTION.execute("select sum(range)::bigint from range(100000)").fetchone()
"""
_NUMPY = """
import numpy

A = numpy.arange(250000, dtype=float).reshape(500, 500)
B = A @ A

def handler(event, context):
    return [float(B[1, 1]), float((A @ A)[1, 1]), float(numpy.linalg.det(A[:3, :3]))]
"""
_POLARS = """
import polars

FRAME = polars.DataFrame({"a": [1, 2, 3]})
TOTAL = FRAME.select(polars.col("a").sum()).item()

def handler(event, context):
    return [TOTAL, FRAME.lazy().select(polars.col("a").sum()).collect().item()]
"""
_XRAY = """
from aws_xray_sdk.core import xray_recorder

xray_recorder.configure(service="app", context_missing="LOG_ERROR")

def handler(event, context):
    return [xray_recorder.service, xray_recorder.emitter._ip, xray_recorder.emitter._port]
"""
_XRAY_TRACE = """
from aws_xray_sdk.core.models.traceid import TraceId

def handler(event, context):
    return {"first": TraceId().to_id()[11:], "second": TraceId().to_id()[11:]}
"""
_OTEL = """
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider

PROVIDER = TracerProvider(resource=Resource.create({"service.name": "app"}))
TRACER = PROVIDER.get_tracer("app")

def handler(event, context):
    with TRACER.start_as_current_span("work") as span:
        return {"trace": span.get_span_context().trace_id, "span": span.get_span_context().span_id}
"""
_OTEL_BATCH = """
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter

PROVIDER = TracerProvider()
PROVIDER.add_span_processor(BatchSpanProcessor(ConsoleSpanExporter(out=open("/dev/null", "w"))))
TRACER = PROVIDER.get_tracer("app")

def handler(event, context):
    with TRACER.start_as_current_span("work"):
        pass
    return PROVIDER.force_flush(2000)
"""
_MONGO = """
from bson import ObjectId, json_util

def handler(event, context):
    return json_util.dumps({"a": ObjectId("0" * 24)})
"""
_MONGO_CLIENT = """
from pymongo import MongoClient

CLIENT = MongoClient("mongodb://127.0.0.1:1", serverSelectionTimeoutMS=100{options})

def handler(event, context):
    try:
        CLIENT.admin.command("ping")
    except Exception as error:
        return type(error).__name__
"""
_STRUCTLOG = """
import structlog

log = structlog.get_logger().bind(service="app")

def handler(event, context):
    log.info("called")
    return log._context
"""
_LOGURU_FILE = """
from loguru import logger

logger.add("/tmp/app.log", format="{message}")

def handler(event, context):
    logger.info("called")
    return open("/tmp/app.log").read()
"""
_PASSLIB = """
from passlib.hash import pbkdf2_sha256

HASH = pbkdf2_sha256.using(rounds=1000, salt=b"salt" * 4).hash("secret")

def handler(event, context):
    return [HASH, pbkdf2_sha256.verify("secret", HASH)]
"""
_ULID_MONOTONIC = """
import ulid

def handler(event, context):
    return {"first": str(ulid.ULID())[10:], "second": str(ulid.ULID())[10:]}
"""
_LIBUUID_C = """
import uuid

uuid.uuid1()

def handler(event, context):
    values = {uuid.uuid1().hex for _ in range(500)}
    return [len(values), uuid.uuid1().version]
"""
_ZLIB = """
import bz2, lzma, zlib

D = zlib.compressobj()
D.compress(b"a" * 100)

def handler(event, context):
    return [len(D.copy().flush()), bz2.decompress(bz2.compress(b"x")).decode(), len(lzma.compress(b"x"))]
"""

CASES = (
    Case("duckdb_connected", _DUCKDB.format(import_=""), requires=("duckdb",), is_chosen=True),
    Case("duckdb_used", _DUCKDB.format(import_='CONNECTION.execute("select 1").fetchone()'), requires=("duckdb",)),
    in_call("duckdb_imported", 'duckdb.sql("select 1").fetchall()', imports="duckdb", requires=("duckdb",)),
    Case("duckdb_warm", _DUCKDB.format(import_=""), requires=("duckdb",), warm_up=True),
    in_call(
        "duckdb_random",
        'C.execute("select random()").fetchone()[0]',
        imports="duckdb",
        requires=("duckdb",),
        before="C = duckdb.connect()\nC.execute('select random()')",
        expectation="distinct",
    ),
    Case("numpy_blas", _NUMPY, requires=("numpy",), is_chosen=True),
    Case("polars_used", _POLARS, requires=("polars",)),
    in_call("polars_imported", 'polars.DataFrame({"a": [1, 2]}).sum().item()', imports="polars", requires=("polars",)),
    Case("xray_recorder", _XRAY, requires=("aws-xray-sdk",)),
    Case("xray_trace_ids", _XRAY_TRACE, "distinct", requires=("aws-xray-sdk",)),
    Case("opentelemetry_spans", _OTEL, "distinct", requires=("opentelemetry-sdk",), is_chosen=True),
    Case("opentelemetry_batch", _OTEL_BATCH, requires=("opentelemetry-sdk",)),
    at_import(
        "opentelemetry_resource",
        "dict(Resource.create().attributes).get('service.name')",
        imports="os\nfrom opentelemetry.sdk.resources import Resource",
        requires=("opentelemetry-sdk",),
    ),
    Case("mongo_bson", _MONGO, requires=("pymongo",)),
    Case("mongo_client", _MONGO_CLIENT.format(options=""), requires=("pymongo",)),
    Case("mongo_client_lazy", _MONGO_CLIENT.format(options=", connect=False"), requires=("pymongo",)),
    Case("structlog_bound", _STRUCTLOG, requires=("structlog",)),
    Case("loguru_file", _LOGURU_FILE, requires=("loguru",)),
    Case("passlib_hash", _PASSLIB, requires=("passlib",)),
    Case("ulid_monotonic", _ULID_MONOTONIC, "distinct", requires=("python-ulid",), warm_up=True),
    Case("libuuid_sequence", _LIBUUID_C, warm_up=True),
    Case("compressors", _ZLIB, must_be_full=True),
    in_call(
        "orjson_used",
        'orjson.dumps({"a": [1, None]}).decode()',
        imports="orjson",
        requires=("orjson",),
        must_be_full=True,
    ),
    in_call(
        "orjson_warm",
        'orjson.loads(b"[1, 2]")',
        imports="orjson",
        requires=("orjson",),
        warm_up=True,
        must_be_full=True,
    ),
    at_import("numpy_threads", "len(os.listdir('/proc/self/task')) > 0", imports="numpy, os", requires=("numpy",)),
    in_call(
        "sqlite_memory",
        'C.execute("select sum(a) from t").fetchone()',
        imports="sqlite3",
        before='C = sqlite3.connect(":memory:")\nC.execute("create table t (a)")\n'
        'C.executemany("insert into t values (?)", [(1,), (2,)])',
    ),
    in_call(
        "sqlite_package_file",
        'len(C.execute("select * from sqlite_master").fetchall())',
        imports="sqlite3",
        before='C = sqlite3.connect("file:/tmp/x.db?mode=rwc", uri=True)\nC.execute("create table t (a)")',
    ),
    in_call(
        "tls_context", "[C.verify_mode, C.check_hostname]", imports="ssl", before="C = ssl.create_default_context()"
    ),
    in_call(
        "tls_context_bare",
        "len(C.get_ciphers()) > 0",
        imports="ssl",
        before="C = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)",
        must_be_full=True,
    ),
    in_call(
        "hash_object", "H.copy().hexdigest()", imports="hashlib", before='H = hashlib.sha256(b"x")', must_be_full=True
    ),
)
