def hello(context, event):
    return event
