from pyl import Context, function


@function
def order(context: Context, event: dict) -> dict:
    return event


@function(name="order")  # <- PYL201
def order_again(context: Context, event: dict) -> dict:
    return event
