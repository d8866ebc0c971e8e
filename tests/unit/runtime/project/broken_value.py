def prepare():
    raise ValueError("größe")


prepare()


def handler(event, context):
    return 1
