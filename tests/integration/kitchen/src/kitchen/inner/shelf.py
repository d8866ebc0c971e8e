from ..drawer import KNIFE  # noqa: TID252


def spoon():
    return f"spoon beside {KNIFE}"
