from pyl import Context, function
from pyl.events import SQSEvent


@function
def notify(context: Context, event: SQSEvent) -> dict:
    return {"handled": len(event.records)}
