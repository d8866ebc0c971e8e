"""The function table, as a build generates it."""

_PLAIN = [
    "echo",
    "fail",
    "custom_error",
    "attributes",
    "remaining",
    "log_lines",
    "leave",
    "decimals",
    "unserializable",
    "circular",
    "binary",
    "evaluate",
    "kind",
    "count",
    "size",
    "fail_with_text",
]
_DECORATED = [
    "struct",
    "struct_back",
    "typed_dict",
    "optional",
    "several",
    "asynchronous",
    "asynchronous_failure",
    "returned_error",
    "surface",
    "by_position",
]
_MODELS = ["model", "library_types"]
_STREAMS = [
    "parts",
    "asynchronous_parts",
    "gated",
    "asynchronous_gated",
    "page",
    "asynchronous_page",
    "rest_page",
    "bad_head",
    "file",
    "heartbeat",
]
_BROKEN = ["syntax", "import", "value", "exit", "signature"]

TABLE = {
    **{name: f"plain:{name}" for name in _PLAIN},
    **{name: f"handlers:{name}" for name in _DECORATED},
    **{name: f"models:{name}" for name in _MODELS},
    **{name: f"streams:{name}" for name in _STREAMS},
    **{f"broken_{name}": f"broken_{name}:handler" for name in _BROKEN},
    "other-name": "handlers:dataclass",
    "missing_attribute": "plain:nowhere",
    "log_setup": "log_setup:handler",
    "hooked": "hooked:handler",
    "ending": "ending:handler",
    "failing_restore": "failing_restore:handler",
    "spread": "spread:handler",
}
