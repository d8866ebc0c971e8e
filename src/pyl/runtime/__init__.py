"""What runs inside Lambda: from the Runtime API to the handler and back."""
