from __future__ import annotations

from typing import TYPE_CHECKING

from pyl import Context, function


if TYPE_CHECKING:
    from pyl.events import SQSEvent


@function
def notify(context: Context, event: SQSEvent) -> dict:  # <- PYL110
    return {}
