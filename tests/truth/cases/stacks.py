"""Stacks that many people have. Their images must not be lost."""

from __future__ import annotations

from dataclasses import replace

from truth.case import Case

_BOTO = """
import boto3

CLIENT = boto3.client("s3")
TABLE = boto3.resource("dynamodb").Table("orders")

def handler(event, context):
    url = CLIENT.generate_presigned_url("get_object", Params={"Bucket": "b", "Key": "k"})
    return [TABLE.name, CLIENT.meta.region_name, url.partition("?")[0],
            CLIENT._request_signer._credentials.get_frozen_credentials().access_key]
"""
_REQUESTS = """
import requests

SESSION = requests.Session()

def handler(event, context):
    return [SESSION.headers["User-Agent"], SESSION.prepare_request(requests.Request("GET", "http://x/")).url,
            SESSION.merge_environment_settings("http://x/", {}, None, None, None)["proxies"]]
"""
_FLASK_BOTO = """
import boto3
from flask import Flask, jsonify

app = Flask(__name__)
table = boto3.resource("dynamodb").Table("orders")

@app.get("/orders/<name>")
def order(name):
    return jsonify(name=name, table=table.name)

def handler(event, context):
    with app.test_client() as client:
        return client.get("/orders/a").get_json()
"""
_HTTPX = """
import httpx

CLIENT = httpx.Client(timeout=3)

def handler(event, context):
    return [str(CLIENT.build_request("GET", "http://x/a").url), CLIENT.timeout.read]
"""
_SETTINGS = """
from pydantic_settings import BaseSettings

class Settings(BaseSettings):
    table: str
    aws_region: str

SETTINGS = Settings()

def handler(event, context):
    return SETTINGS.model_dump()
"""
_LOGGER = """
from aws_lambda_powertools import Logger

logger = Logger(service="orders")

@logger.inject_lambda_context
def handler(event, context):
    logger.info("called")
    return [logger.service, logger.log_level]
"""
_METRICS = """
from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit

metrics = Metrics(namespace="app", service="orders")

@metrics.log_metrics(capture_cold_start_metric=True)
def handler(event, context):
    metrics.add_metric(name="Orders", unit=MetricUnit.Count, value=1)
    return metrics.namespace
"""
_CRYPTOGRAPHY = """
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.asymmetric import rsa

CIPHER = AESGCM(b"k" * 32)

def handler(event, context):
    return CIPHER.encrypt(b"n" * 12, b"data", None).hex()
"""
_NUMPY = """
import numpy

A = numpy.arange(12).reshape(3, 4)

def handler(event, context):
    return [int((A * 2).sum()), float(A.mean()), numpy.sort(A[::-1], axis=None).tolist()]
"""
_LXML = """
from lxml import etree

SCHEMA = etree.XMLParser(remove_blank_text=True)
TREE = etree.fromstring("<a><b>1</b></a>", SCHEMA)

def handler(event, context):
    return [TREE.xpath("string(//b)"), etree.tostring(TREE).decode()]
"""
_REDIS = """
import redis

CLIENT = redis.Redis(host="127.0.0.1", port=1, socket_connect_timeout=0.2)

def handler(event, context):
    try:
        CLIENT.ping()
    except redis.ConnectionError as error:
        return type(error).__name__
"""
_LOGURU = """
import io

from loguru import logger

STREAM = io.StringIO()
logger.remove()
logger.add(STREAM, format="{level} {message}")

def handler(event, context):
    STREAM.truncate(0)
    STREAM.seek(0)
    logger.info("called")
    return STREAM.getvalue()
"""
_POWERTOOLS = """
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
from aws_lambda_powertools.utilities.parameters import SSMProvider

app = APIGatewayHttpResolver()

def handler(event, context):
    return type(app).__name__
"""


def _stack(
    name: str,
    source: str,
    *requires: str,
    is_chosen: bool = False,
    environment: dict[str, str] | None = None,
    warm_up: bool = False,
) -> Case:
    return Case(
        name,
        source,
        requires=requires,
        must_be_full=True,
        is_chosen=is_chosen,
        environment=environment or {},
        warm_up=warm_up,
    )


CASES = (
    _stack("stack_boto3", _BOTO, "boto3", is_chosen=True),
    _stack("stack_boto3_warm", _BOTO, "boto3", warm_up=True),
    _stack("stack_requests", _REQUESTS, "requests", is_chosen=True),
    _stack("stack_requests_warm", _REQUESTS, "requests", warm_up=True),
    _stack("stack_flask_boto3", _FLASK_BOTO, "flask", "boto3", is_chosen=True),
    _stack("stack_httpx", _HTTPX, "httpx", is_chosen=True),
    _stack("stack_pydantic_settings", _SETTINGS, "pydantic-settings", environment={"TABLE": "orders"}, is_chosen=True),
    _stack("stack_powertools_logger", _LOGGER, "aws-lambda-powertools", is_chosen=True),
    _stack("stack_powertools_logger_warm", _LOGGER, "aws-lambda-powertools", warm_up=True),
    _stack("stack_powertools_metrics", _METRICS, "aws-lambda-powertools"),
    _stack("stack_powertools_resolver", _POWERTOOLS, "aws-lambda-powertools", "boto3"),
    _stack("stack_cryptography", _CRYPTOGRAPHY, "cryptography", is_chosen=True),
    _stack("stack_numpy", _NUMPY, "numpy", is_chosen=True),
    _stack("stack_lxml", _LXML, "lxml"),
    _stack("stack_lxml_warm", _LXML, "lxml", warm_up=True),
    _stack("stack_redis", _REDIS, "redis"),
    # Its retries wait for times drawn at random, which move objects.
    replace(_stack("stack_redis_warm", _REDIS, "redis", warm_up=True), must_be_full=False),
    _stack("stack_loguru", _LOGURU, "loguru"),
    _stack("stack_loguru_warm", _LOGURU, "loguru", warm_up=True),
)
