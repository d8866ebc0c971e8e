from pyl import Context, function


@function
def hello(context: Context, event: Context) -> dict:  # <- PYL103
    return {}
