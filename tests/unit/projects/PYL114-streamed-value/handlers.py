from pyl import Context, function


@function
def stream(context: Context, event: dict):
    for part in event["parts"]:
        yield {"part": part}  # <- PYL114
