from pyl import Context, function


def make():
    @function
    def order(context: Context, event: dict) -> dict:  # <- PYL112
        return event

    return order


order = make()
