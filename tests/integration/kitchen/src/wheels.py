"""Functions that need a wheel with native code, or one that is large; each imports its own."""

from __future__ import annotations

import pydantic

from pyl import Context, function


class Point(pydantic.BaseModel):
    x: int
    y: pydantic.PositiveInt = 1


@function
def arrays(context: Context, event):
    import numpy as np

    matrix = np.arange(4.0).reshape(2, 2) + np.eye(2)
    random = np.random.default_rng(7).integers(0, 10, 3).tolist()
    return {
        "inverse": np.linalg.inv(matrix).round(3).tolist(),
        "fft": abs(np.fft.fft([1, 0, 0])).tolist(),
        "random": random,
    }


@function
def bundle(context: Context, event):
    import ssl

    import certifi

    made = ssl.create_default_context(cafile=certifi.where())
    return made.cert_store_stats()["x509_ca"] > 50


@function
def client(context: Context, event):
    import boto3

    table = boto3.client("dynamodb", region_name="eu-west-1")
    return [table.meta.endpoint_url, sorted(table.get_paginator("scan").result_keys[0].expression.split("."))]


@function
def database(context: Context, event):
    import sqlalchemy

    with sqlalchemy.create_engine("sqlite://").connect() as connection:
        return connection.execute(sqlalchemy.text("select 6 * 7")).scalar()


@function
def domain(context: Context, event):
    import idna

    return [idna.encode("münchen.de").decode(), type(idna.encode).__name__]


@function
def model(context: Context, event):
    try:
        Point(x="a", y=-1)
    except pydantic.ValidationError as error:
        return [Point(x="3").model_dump(), error.error_count()]


@function
def page(context: Context, event):
    import jinja2
    import yaml

    template = jinja2.Environment(autoescape=True).from_string(
        "{% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %}"
    )
    return template.render(d=yaml.safe_load("a: 1\nb: <x>"))


@function
def secret(context: Context, event):
    from cryptography.fernet import Fernet
    from cryptography.hazmat.primitives.asymmetric import ed25519

    box = Fernet(Fernet.generate_key())
    key = ed25519.Ed25519PrivateKey.generate()
    key.public_key().verify(key.sign(b"x"), b"x")
    return box.decrypt(box.encrypt(b"hidden")).decode()


@function
def speedy(context: Context, event):
    import orjson

    return orjson.loads(orjson.dumps({"b": 1, "a": [None]}, option=orjson.OPT_SORT_KEYS))


@function
def web(context: Context, event):
    import httpx
    import requests

    transport = httpx.MockTransport(lambda request: httpx.Response(200, json={"path": request.url.path}))
    with httpx.Client(transport=transport) as session:
        answer = session.get("https://example.com/a").json()
    return [answer, requests.Request("GET", "https://example.com", params={"q": "ü"}).prepare().url]
