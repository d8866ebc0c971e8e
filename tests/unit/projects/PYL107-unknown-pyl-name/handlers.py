import pyl.events as events
from pyl import Context, function


@function
def notify(context: Context, event: events.SQSMessage) -> dict:  # <- PYL107
    return {}
