"""All variables at once: every way to copy, list, or count them, in Python, in C, from /proc, and in children."""

from __future__ import annotations

from truth.case import Case, at_import, in_call, in_warm_up

_OWN = 'k.startswith("AWS_LAMBDA_FUNCTION")'
_CHILD = '["/bin/sh", "-c", "env"]'
_LINES = '.split("\\n") if x.partition("=")[0] not in ("", "_", "PWD", "SHLVL", "OLDPWD"))'
_C_ENVIRON = """
import ctypes

def fact():
    environ = ctypes.POINTER(ctypes.c_char_p).in_dll(ctypes.CDLL(None), "environ")
    names = []
    for entry in environ:
        if entry is None:
            return sorted(names)
        names.append(entry.decode())

{where}

def handler(event, context):
    return {answer}
"""

CASES = (
    at_import("environ_copy", "os.environ.copy()", is_chosen=True),
    at_import("environ_dict", "dict(os.environ)"),
    at_import("environ_union", 'os.environ | {"APP": "1"}'),
    at_import("environ_union_reversed", '{"APP": "1"} | os.environ'),
    at_import("environ_unpacked", '{**os.environ, "APP": "1"}'),
    at_import("environ_iterated", "[name for name in os.environ]"),
    at_import("environ_keys", "sorted(os.environ.keys())"),
    at_import("environ_values", "sorted(os.environ.values())"),
    at_import("environ_items_filtered", f"{{k: v for k, v in os.environ.items() if {_OWN}}}", is_chosen=True),
    at_import("environ_set", '"AWS_LAMBDA_FUNCTION_NAME" in set(os.environ)'),
    at_import("environ_list_prefix", '[k for k in os.environ if k.startswith("AWS_XRAY")]'),
    at_import("environ_length", "len(os.environ)"),
    at_import("environ_repr", "repr(os.environ)"),
    at_import("environ_equality", "os.environ == {}"),
    at_import("environ_sorted_items", "sorted(os.environ.items())"),
    at_import("environ_json", "json.dumps(dict(os.environ), sort_keys=True)", imports="json, os"),
    at_import("environ_deepcopy", "dict(copy.copy(os.environ))", imports="copy, os"),
    at_import(
        "environ_chainmap",
        'collections.ChainMap({}, os.environ).get("AWS_LAMBDA_LOG_STREAM_NAME")',
        imports="collections, os",
    ),
    at_import(
        "environ_template",
        'string.Template("$AWS_LAMBDA_LOG_STREAM_NAME").substitute(os.environ)',
        imports="os, string",
    ),
    at_import("environ_format_map", '"{AWS_LAMBDA_LOG_STREAM_NAME}".format_map(os.environ)'),
    at_import("expandvars", 'os.path.expandvars("$AWS_LAMBDA_LOG_STREAM_NAME")'),
    at_import("environb_copy", "{k.decode(): v.decode() for k, v in os.environb.items()}"),
    at_import("environ_data", "sorted(k.decode() for k in os.environ._data)"),
    at_import(
        "posix_environ", "{k.decode(): v.decode() for k, v in posix.environ.items()}", imports="posix", is_chosen=True
    ),
    at_import("proc_environ", 'sorted(open("/proc/self/environ").read().split("\\0"))', imports="os", is_chosen=True),
    at_import("proc_pid_environ", 'sorted(open(f"/proc/{os.getpid()}/environ").read().split("\\0"))'),
    at_import(
        "ctypes_getenv_stream",
        'g(b"AWS_LAMBDA_LOG_STREAM_NAME").decode()',
        imports="ctypes\ng = ctypes.CDLL(None).getenv\ng.restype = ctypes.c_char_p",
        is_chosen=True,
    ),
    at_import(
        "ctypes_getenv_initialization",
        '(g(b"AWS_LAMBDA_INITIALIZATION_TYPE") or b"absent").decode()',
        imports="ctypes\ng = ctypes.CDLL(None).getenv\ng.restype = ctypes.c_char_p",
    ),
    at_import(
        "ctypes_secure_getenv",
        '(g(b"AWS_SESSION_TOKEN") or b"absent").decode()',
        imports="ctypes\ng = ctypes.CDLL(None).secure_getenv\ng.restype = ctypes.c_char_p",
    ),
    Case("ctypes_environ", _C_ENVIRON.format(where="FACT = fact()", answer="FACT")),
    Case("ctypes_environ_in_call", _C_ENVIRON.format(where="", answer='[x for x in fact() if "LOG_STREAM" in x]')),
    at_import(
        "child_env",
        f"sorted(x for x in subprocess.run({_CHILD}, capture_output=True, text=True).stdout{_LINES}",
        imports="subprocess",
        is_chosen=True,
    ),
    at_import("child_popen", f'sorted(x for x in os.popen("env").read(){_LINES}'),
    at_import("child_variable", 'os.popen("echo $AWS_LAMBDA_LOG_STREAM_NAME").read()'),
    at_import(
        "child_own_environment",
        f"sorted(x for x in subprocess.run({_CHILD}, capture_output=True, text=True, env=os.environ).stdout{_LINES}",
        imports="os, subprocess",
    ),
    in_call(
        "child_environment_kept",
        f"sorted(x for x in subprocess.run({_CHILD}, capture_output=True, text=True, env=ENV).stdout{_LINES}",
        imports="os, subprocess",
        before="ENV = os.environ.copy()",
        is_chosen=True,
    ),
    in_call(
        "child_environment_extended",
        f"sorted(x for x in subprocess.run({_CHILD}, capture_output=True, text=True, env=ENV).stdout{_LINES}",
        imports="os, subprocess",
        before='ENV = {**os.environ, "PGHOST": "db"}',
    ),
    in_warm_up("environ_copy_in_warm_up", "os.environ.copy()", is_chosen=True),
    in_warm_up("environ_items_in_warm_up", f"{{k: v for k, v in os.environ.items() if {_OWN}}}"),
    in_warm_up("posix_environ_in_warm_up", "sorted(k.decode() for k in posix.environ)", imports="posix"),
    in_warm_up("proc_environ_in_warm_up", 'sorted(open("/proc/self/environ").read().split("\\0"))'),
    in_warm_up("child_variable_in_warm_up", 'os.popen("echo $AWS_LAMBDA_LOG_STREAM_NAME").read()'),
    in_call("environ_in_call", "dict(os.environ)", must_be_full=True, is_chosen=True),
    in_call("proc_environ_in_call", 'sorted(open("/proc/self/environ").read().split("\\0"))'),
    in_call("posix_environ_in_call", "sorted(k.decode() for k in posix.environ)", imports="posix"),
)
