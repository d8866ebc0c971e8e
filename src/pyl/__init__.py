"""Lambda functions as decorated Python functions.

The names for handlers: `function`, `Context`, `before_image`, `after_restore` and `before_shutdown`. Only the decorator
is imported at once, every other name on first use (PEP 562), because each cold start of an interpreted package pays for
`import pyl`.
"""

from __future__ import annotations

# Not lazily: the module has the decorator's name, so its first import would bind the module to this name.
from pyl.function import function

TYPE_CHECKING = False  # `typing` itself costs milliseconds where nothing else has imported it
if TYPE_CHECKING:
    from pyl.context import Context
    from pyl.hooks import after_restore, before_image, before_shutdown

__all__ = ["Context", "after_restore", "before_image", "before_shutdown", "function"]

_MODULES = {
    "Context": "pyl.context",
    "after_restore": "pyl.hooks",
    "before_image": "pyl.hooks",
    "before_shutdown": "pyl.hooks",
}


def __getattr__(name: str) -> object:
    module = _MODULES.get(name)
    if module is None:
        msg = f"module 'pyl' has no attribute {name!r}"
        raise AttributeError(msg)
    value: object = getattr(__import__(module, fromlist=(name,)), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(__all__))
