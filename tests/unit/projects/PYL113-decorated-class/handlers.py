from pyl import Context, function


@function
class Order:  # <- PYL113
    def __call__(self, context: Context, event: dict) -> dict:
        return event
