from pyl import Context, function


@function
def hello(context: Context, event: dict) -> dict:
    return event
