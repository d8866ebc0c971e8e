from pyl import Context, function


@function
def hello(
    context: Context,
    event: dict = {},  # <- PYL104
) -> dict:
    return event
