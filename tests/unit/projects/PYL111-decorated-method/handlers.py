from pyl import Context, function


class Shop:
    @function
    def order(self, context: Context, event: dict) -> dict:  # <- PYL111
        return event
