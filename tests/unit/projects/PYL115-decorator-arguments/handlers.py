from pyl import Context, function


@function("order")  # <- PYL115
def take_order(context: Context, event: dict) -> dict:
    return event
