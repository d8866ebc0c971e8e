"""The Runtime API's loop: take an event, call the handler, post its answer."""
