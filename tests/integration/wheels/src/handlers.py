"""Functions that use native code, at import and in the call: OpenSSL, numpy, orjson, cryptography."""

from __future__ import annotations

import hashlib
import os
import random
import secrets
import ssl
import tempfile
import uuid
import zlib

import numpy as np
import orjson
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, x25519
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from pyl import Context, function

tls = ssl.create_default_context()
signer = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
own = random.Random()
own_array = np.random.default_rng()
own_legacy = np.random.RandomState()
seeded = random.Random(42)
seeded_array = np.random.default_rng(0x87351080E25CB0FAD77A44A3BE03B491)
seeded_legacy = np.random.RandomState(42)


def compute() -> dict:
    """What must be the same on every processor; much of it chooses its code by processor."""
    matrix = np.arange(64.0).reshape(8, 8) + 9 * np.eye(8)
    text = "käse" * 25_000
    data = text.encode()
    counted = orjson.dumps(
        {"text": text, "numbers": list(range(1000)), "array": matrix}, option=orjson.OPT_SERIALIZE_NUMPY
    )
    return {
        "inverse": np.linalg.inv(matrix).round(6).tolist()[0],
        "product": float((matrix @ matrix).sum()),
        "waves": np.abs(np.fft.rfft(np.sin(np.arange(256) * 0.1))).round(6).tolist()[:4],
        "sums": [float(np.sqrt(np.arange(10_000)).sum().round(4)), int(np.sort(np.arange(5000)[::-1])[7])],
        "digest": hashlib.sha256(data).hexdigest() + hashlib.sha3_256(data).hexdigest(),
        "checksum": zlib.crc32(zlib.compress(data)),
        "json": hashlib.sha256(orjson.dumps(orjson.loads(counted))).hexdigest(),
        "sealed": hashlib.sha256(AESGCM(bytes(32)).encrypt(bytes(12), data, None)).hexdigest(),
        "signature": signer.sign(data).hex(),
        "found": [text.find("x"), text.count("ä"), data.rfind(b"k")],
    }


AT_IMPORT = compute()
np.random.random(), random.random(), own.random(), own_array.random(), own_legacy.random_sample()
ssl.RAND_bytes(8), tempfile.mktemp(), uuid.uuid1(), uuid.uuid4()


@function
def facts(context: Context, event):
    """What was computed at import, and again now."""
    return {"import": AT_IMPORT, "call": compute()}


@function
def randoms(context: Context, event):
    """What no two instances may have in common."""
    key = ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value
    return {
        "array": np.random.random(4).tolist(),
        "cryptography: key": f"{key:x}",
        "cryptography: exchange": x25519.X25519PrivateKey.generate().public_key().public_bytes_raw().hex(),
        "cryptography: nonce": AESGCM.generate_key(256).hex(),
        "legacy array": own_legacy.random_sample(4).tolist(),
        "own": own.random(),
        "own array": own_array.random(4).tolist(),
        "process-wide": random.random(),
        "secrets": secrets.token_hex(),
        "ssl": ssl.RAND_bytes(16).hex(),
        "temporary name": tempfile.mktemp(),
        "tls": client_hello(),
        "uuid1": str(uuid.uuid1()),
        "uuid4": str(uuid.uuid4()),
    }


@function
def sequences(context: Context, event):
    """What every instance has in common: the user seeded it."""
    return [seeded.random(), seeded_array.random(), seeded_legacy.random_sample()]


@function
def process_id(context: Context, event):
    return os.getpid()


def client_hello() -> dict[str, str]:
    """The client's random and the share of its key, as they would go over the wire (RFC 8446, 4.1.2 and 4.2.8)."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    try:
        tls.wrap_bio(incoming, outgoing, server_hostname="example.com").do_handshake()
    except ssl.SSLWantReadError:
        hello = outgoing.read()
    position = 5 + 4 + 2 + 32
    client_random, position = hello[position - 32 : position], position + 1 + hello[position]
    position += 2 + int.from_bytes(hello[position : position + 2])
    position += 1 + hello[position] + 2
    while position < len(hello):
        kind, length = (int.from_bytes(hello[position + at : position + at + 2]) for at in (0, 2))
        if kind == 51:
            return {"random": client_random.hex(), "share": hello[position + 10 : position + 4 + length].hex()}
        position += 4 + length
    msg = "no key share in the client's hello"
    raise ValueError(msg)
