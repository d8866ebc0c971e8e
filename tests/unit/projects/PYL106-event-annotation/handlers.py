from pyl import Context, function


class Order:
    number: int


@function
def take(context: Context, order: Order) -> dict:  # <- PYL106
    return {}
