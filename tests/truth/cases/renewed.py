"""Generators that are made at import, or used in the warm-up call, and asked in the handler: nothing may repeat."""

from __future__ import annotations

from typing import Unpack

from truth.case import Case, Expectation, Options, in_call

_D: Expectation = "distinct"


def _draw(name: str, value: str, *, imports: str, before: str = "", **options: Unpack[Options]) -> Case:
    """Return a case that draws twice in the call."""
    options.setdefault("expectation", _D)
    return in_call(name, f'{{"first": {value}, "second": {value}}}', imports=imports, before=before, **options)


_RANDOM = (
    _draw("draw_token", "secrets.token_hex()", imports="secrets", must_be_full=True),
    _draw("draw_random", "random.random()", imports="random", must_be_full=True),
    _draw("draw_random_warm", "random.random()", imports="random", warm_up=True),
    _draw("draw_choices", '"".join(random.choices("abcdefgh", k=32))', imports="random", must_be_full=True),
    _draw("draw_object", "R.random()", imports="random", before="R = random.Random()", must_be_full=True),
    _draw("draw_object_used", "R.random()", imports="random", before="R = random.Random()\nR.random()"),
    _draw("draw_system_random", "R.random()", imports="random", before="R = random.SystemRandom()", must_be_full=True),
    _draw("draw_bound_method", "draw()", imports="random", before="draw = random.Random().random", is_chosen=True),
    _draw("draw_subclass", "R.random()", imports="random", before="class Own(random.Random): pass\nR = Own()"),
    _draw("draw_seeded_by_time", "R.random()", imports="random, time", before="R = random.Random(time.time_ns())"),
    _draw("draw_seeded_by_urandom", "R.random()", imports="os, random", before="R = random.Random(os.urandom(16))"),
    _draw(
        "draw_seeded_by_pid",
        "R.random()",
        imports="os, random, time",
        before='R = random.Random(f"{os.getpid()} {time.time_ns()}")',
    ),
    _draw(
        "draw_restored_state",
        "R.random()",
        imports="random",
        before="R = random.Random()\nR.setstate(random.Random().getstate())",
    ),
    _draw(
        "draw_c_rand",
        "libc.rand()",
        imports="ctypes, os",
        before='libc = ctypes.CDLL(None)\nlibc.srand(int.from_bytes(os.urandom(4), "big"))',
    ),
    _draw(
        "draw_c_seeded_by_time",
        "libc.random()",
        imports="ctypes, time",
        expectation="noted",
        before="libc = ctypes.CDLL(None)\nlibc.srandom(time.time_ns() & 0xFFFFFFFF)",
    ),
)
_UUID = (
    _draw("draw_uuid4", "str(uuid.uuid4())", imports="uuid", must_be_full=True, is_chosen=True),
    _draw("draw_uuid1", "str(uuid.uuid1())", imports="uuid", must_be_full=True),
    _draw("draw_uuid1_warm", "str(uuid.uuid1())", imports="uuid", warm_up=True),
    in_call("draw_uuid1_node", '(lambda u: f"{u.clock_seq} {u.node}")(uuid.uuid1())', imports="uuid", expectation=_D),
    in_call(
        "draw_uuid1_node_warm",
        '(lambda u: f"{u.clock_seq} {u.node}")(uuid.uuid1())',
        imports="uuid",
        expectation=_D,
        warm_up=True,
        is_chosen=True,
    ),
    in_call(
        "draw_uuid1_node_used",
        '(lambda u: f"{u.clock_seq} {u.node}")(uuid.uuid1())',
        imports="uuid",
        before="uuid.uuid1()",
        expectation=_D,
    ),
    in_call("draw_getnode_warm", "uuid.getnode()", imports="uuid", expectation=_D, warm_up=True),
    _draw("draw_uuid_utils", "str(uuid_utils.uuid4())", imports="uuid_utils", requires=("uuid-utils",), is_chosen=True),
    _draw(
        "draw_uuid_utils_used",
        "str(uuid_utils.uuid4())",
        imports="uuid_utils",
        requires=("uuid-utils",),
        before="uuid_utils.uuid4()",
    ),
    _draw(
        "draw_uuid_utils_warm", "str(uuid_utils.uuid7())", imports="uuid_utils", requires=("uuid-utils",), warm_up=True
    ),
    _draw(
        "draw_uuid_utils_random_part",
        "str(uuid_utils.uuid7())[20:]",
        imports="uuid_utils",
        requires=("uuid-utils",),
        before="uuid_utils.uuid7()",
    ),
    _draw("draw_ulid", "str(ulid.ULID())[10:]", imports="ulid", requires=("python-ulid",), warm_up=True),
    _draw(
        "draw_ulid_transform",
        "ulid_transform.ulid_now()[10:]",
        imports="ulid_transform",
        requires=("ulid-transform",),
        warm_up=True,
    ),
)
_LIBRARIES = (
    _draw(
        "draw_sqlite",
        'C.execute("select random()").fetchone()[0]',
        imports="sqlite3",
        before='C = sqlite3.connect(":memory:")',
        is_chosen=True,
    ),
    _draw("draw_sqlite_new", 'sqlite3.connect(":memory:").execute("select random()").fetchone()[0]', imports="sqlite3"),
    _draw(
        "draw_sqlite_warm",
        'sqlite3.connect(":memory:").execute("select hex(randomblob(8))").fetchone()[0]',
        imports="sqlite3",
        warm_up=True,
        is_chosen=True,
    ),
    _draw("draw_openssl", "ssl.RAND_bytes(16).hex()", imports="ssl", must_be_full=True),
    _draw(
        "draw_openssl_warm", "ssl.RAND_bytes(16).hex()", imports="ssl", warm_up=True, must_be_full=True, is_chosen=True
    ),
    _draw("draw_numpy", "numpy.random.random()", imports="numpy", requires=("numpy",), warm_up=True),
    _draw(
        "draw_numpy_generator",
        "G.random()",
        imports="numpy",
        requires=("numpy",),
        before="G = numpy.random.default_rng()",
        is_chosen=True,
    ),
    _draw(
        "draw_numpy_used",
        "G.random()",
        imports="numpy",
        requires=("numpy",),
        before="G = numpy.random.default_rng()\nG.random(10)",
    ),
    _draw(
        "draw_numpy_state",
        "S.random_sample()",
        imports="numpy",
        requires=("numpy",),
        before="S = numpy.random.RandomState()",
    ),
    _draw(
        "draw_numpy_philox",
        "G.random()",
        imports="numpy",
        requires=("numpy",),
        before="G = numpy.random.Generator(numpy.random.Philox())",
    ),
    _draw(
        "draw_numpy_sequence",
        "G.random()",
        imports="numpy",
        requires=("numpy",),
        before="S = numpy.random.SeedSequence()\nG = numpy.random.default_rng(S.spawn(1)[0])",
    ),
    _draw("draw_faker", "F.uuid4()", imports="faker", requires=("faker",), before="F = faker.Faker()"),
    _draw("draw_object_id", "str(bson.ObjectId())[8:]", imports="bson", requires=("pymongo",), warm_up=True),
    in_call(
        "draw_object_id_process",
        "str(bson.ObjectId())[8:18]",
        imports="bson",
        expectation=_D,
        requires=("pymongo",),
    ),
    _draw(
        "draw_private_key",
        "X25519PrivateKey.generate().public_key().public_bytes_raw().hex()",
        warm_up=True,
        imports="cryptography\nfrom cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey",
        requires=("cryptography",),
    ),
    _draw(
        "draw_fernet",
        'F.encrypt(b"x").decode()',
        imports="cryptography.fernet",
        requires=("cryptography",),
        before="F = cryptography.fernet.Fernet(b'A' * 43 + b'=')",
    ),
    _draw(
        "draw_passlib",
        'sha256_crypt.using(rounds=1000).hash("x")',
        requires=("passlib",),
        warm_up=True,
        imports="passlib.hash\nfrom passlib.hash import sha256_crypt",
    ),
    _draw("draw_temporary_name", "tempfile.mktemp()", imports="tempfile", warm_up=True),
    _draw("draw_temporary_generator", "next(N)", imports="tempfile", before="N = tempfile._get_candidate_names()"),
    _draw(
        "draw_trace_span",
        'f"{G.generate_span_id()} {G.generate_trace_id()}"',
        requires=("opentelemetry-sdk",),
        imports="opentelemetry.sdk.trace.id_generator as ids",
        before="G = ids.RandomIdGenerator()",
        warm_up=True,
    ),
    _draw("draw_boundary", "email.generator._make_boundary()", imports="email.generator", warm_up=True),
)

CASES: tuple[Case, ...] = (*_RANDOM, *_UUID, *_LIBRARIES)
