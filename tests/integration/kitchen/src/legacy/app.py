def main(event, context):
    return {"adopted": event, "function": context.function_name}
