from pyl import Context, function


@function
def hello(context: Context) -> dict:  # <- PYL101
    return {}
