from pyl import function


@function
def handler(event):
    return 1
