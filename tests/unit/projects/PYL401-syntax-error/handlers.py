from pyl import Context, function


@function
def hello(context: Context, event: dict) -> dict:
    return {"name": event["name"]]  # <- PYL401
