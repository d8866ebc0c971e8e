from pyl import Context, function


@function
def hello(context: Context, event: dict, **options: str) -> dict:  # <- PYL105
    return event
