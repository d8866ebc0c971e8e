from pyl import function


@function
def add(first: int, second: int) -> int:  # <- PYL102
    return first + second
