def prepare():
    msg = "größe"
    raise ValueError(msg)


prepare()


def handler(event, context):
    return 1
