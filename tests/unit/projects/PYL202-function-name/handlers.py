from pyl import Context, function


@function(name="orders.take")  # <- PYL202
def take(context: Context, event: dict) -> dict:
    return event
