"""Random values made at import or in the warm-up call, and kept: they must differ among instances."""

from __future__ import annotations

from truth.case import Case, Expectation, at_import, in_warm_up

_D: Expectation = "distinct"

_OPENSSL = """
import ctypes, glob, ssl

library = ctypes.CDLL(next(iter(glob.glob("/var/task/pyl/app/libcrypto*.so*")), None))
buffer = ctypes.create_string_buffer(16)
library.RAND_bytes(buffer, 16)
FACT = buffer.raw.hex()

def handler(event, context):
    return FACT
"""
_GETRANDOM = """
import ctypes

buffer = ctypes.create_string_buffer(16)
ctypes.CDLL(None).getrandom(buffer, 16, {flags})
FACT = buffer.raw.hex()

def handler(event, context):
    return FACT
"""
_KEY = """
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

KEY = X25519PrivateKey.generate()

def handler(event, context):
    return KEY.public_key().public_bytes_raw().hex()
"""

CASES = (
    at_import("token_hex", "secrets.token_hex()", imports="secrets", expectation=_D, is_chosen=True),
    at_import("token_urlsafe", "secrets.token_urlsafe(16)", imports="secrets", expectation=_D),
    at_import("secrets_randbelow", "secrets.randbelow(2 ** 64)", imports="secrets", expectation=_D),
    at_import(
        "secrets_choice", '"".join(secrets.choice("abcdefgh") for _ in range(32))', imports="secrets", expectation=_D
    ),
    at_import("urandom", "os.urandom(16).hex()", expectation=_D, is_chosen=True),
    at_import("getrandom", "os.getrandom(16).hex()", expectation=_D),
    at_import("getrandom_nonblocking", "os.getrandom(16, os.GRND_NONBLOCK).hex()", expectation=_D),
    at_import("dev_urandom", 'open("/dev/urandom", "rb").read(16).hex()', expectation=_D),
    at_import("dev_random", 'open("/dev/random", "rb", buffering=0).read(16).hex()', expectation=_D),
    at_import("proc_random_uuid", 'open("/proc/sys/kernel/random/uuid").read()', expectation=_D),
    Case("ctypes_getrandom", _GETRANDOM.format(flags=0), _D),
    Case("ctypes_getrandom_insecure", _GETRANDOM.format(flags=4), _D),
    at_import("uuid4", "str(uuid.uuid4())", imports="uuid", expectation=_D, is_chosen=True),
    at_import("uuid1", "str(uuid.uuid1())", imports="uuid", expectation=_D),
    at_import("uuid4_short", "uuid.uuid4().hex[:16]", imports="uuid", expectation=_D),
    at_import("random_random", "random.random()", imports="random", expectation=_D),
    at_import("random_getrandbits", "random.getrandbits(64)", imports="random", expectation=_D),
    at_import("random_choices", '"".join(random.choices("abcdefgh", k=32))', imports="random", expectation=_D),
    at_import("random_shuffle", "random.sample(range(100), 100)", imports="random", expectation=_D, is_chosen=True),
    at_import("random_object_value", "random.Random().random()", imports="random", expectation=_D, is_chosen=True),
    at_import("system_random_value", "random.SystemRandom().random()", imports="random", expectation=_D),
    at_import("openssl_bytes", "ssl.RAND_bytes(16).hex()", imports="ssl", expectation=_D, is_chosen=True),
    Case("openssl_native", _OPENSSL, _D),
    at_import("os_pid_and_random", 'f"{os.getpid()}-{os.urandom(8).hex()}"', expectation=_D),
    at_import("hash_salt", "hashlib.sha256(os.urandom(16)).hexdigest()", imports="hashlib, os", expectation=_D),
    at_import("hmac_key", 'hmac.new(os.urandom(16), b"x", "sha256").hexdigest()', imports="hmac, os", expectation=_D),
    at_import(
        "pbkdf", 'hashlib.pbkdf2_hmac("sha256", b"p", os.urandom(16), 10).hex()', imports="hashlib, os", expectation=_D
    ),
    at_import(
        "crypt_salt", "base64.b64encode(secrets.token_bytes(12)).decode()", imports="base64, secrets", expectation=_D
    ),
    at_import("email_message_id", 'email.utils.make_msgid(domain="x")', imports="email.utils", expectation=_D),
    at_import("email_boundary", "email.generator._make_boundary()", imports="email.generator", expectation=_D),
    at_import(
        "authkey", "bytes(multiprocessing.current_process().authkey).hex()", imports="multiprocessing", expectation=_D
    ),
    at_import(
        "sqlite_random",
        'sqlite3.connect(":memory:").execute("select random()").fetchone()[0]',
        imports="sqlite3",
        expectation=_D,
        is_chosen=True,
    ),
    at_import(
        "sqlite_randomblob",
        'sqlite3.connect(":memory:").execute("select hex(randomblob(8))").fetchone()[0]',
        imports="sqlite3",
        expectation=_D,
    ),
    at_import("numpy_random_value", "numpy.random.random()", imports="numpy", expectation=_D, requires=("numpy",)),
    at_import(
        "numpy_generator_value",
        "numpy.random.default_rng().random()",
        imports="numpy.random",
        expectation=_D,
        requires=("numpy",),
    ),
    at_import(
        "uuid_utils_uuid4_kept",
        "str(uuid_utils.uuid4())",
        imports="uuid_utils",
        expectation=_D,
        requires=("uuid-utils",),
    ),
    at_import("ulid_kept", "str(ulid.ULID())", imports="ulid", expectation=_D, requires=("python-ulid",)),
    at_import("faker_kept", "faker.Faker().uuid4()", imports="faker", expectation=_D, requires=("faker",)),
    at_import(
        "fernet_key",
        "fernet.Fernet.generate_key().decode()",
        imports="cryptography.fernet\nfrom cryptography import fernet",
        expectation=_D,
        requires=("cryptography",),
    ),
    at_import("object_id_kept", "str(bson.ObjectId())", imports="bson", expectation=_D, requires=("pymongo",)),
    Case("x25519_key", _KEY, _D, requires=("cryptography",)),
    in_warm_up("token_hex_in_warm_up", "secrets.token_hex()", imports="secrets", expectation=_D, is_chosen=True),
    in_warm_up("uuid4_in_warm_up", "str(uuid.uuid4())", imports="uuid", expectation=_D),
    in_warm_up("random_in_warm_up", "random.random()", imports="random", expectation=_D),
    in_warm_up("urandom_in_warm_up", "os.urandom(16).hex()", expectation=_D),
    in_warm_up("dev_urandom_in_warm_up", 'open("/dev/urandom", "rb").read(16).hex()', expectation=_D),
    in_warm_up("openssl_in_warm_up", "ssl.RAND_bytes(16).hex()", imports="ssl", expectation=_D),
    at_import("seeded_value", "random.Random(42).random()", imports="random", must_be_full=True),
    at_import("uuid5", 'str(uuid.uuid5(uuid.NAMESPACE_DNS, "example.com"))', imports="uuid", must_be_full=True),
    at_import("uuid3", 'str(uuid.uuid3(uuid.NAMESPACE_DNS, "example.com"))', imports="uuid", must_be_full=True),
)
