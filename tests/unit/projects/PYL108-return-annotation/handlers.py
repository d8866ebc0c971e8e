from collections.abc import Callable

from pyl import Context, function


@function
def hello(context: Context, event: dict) -> Callable[[], dict]:  # <- PYL108
    return dict
