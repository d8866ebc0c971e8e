from pyl import Context, function


@function
def notify(context: Context, event: SQSEvent) -> dict:  # <- PYL109
    return {}
