"""The function's log in Lambda's formats."""
