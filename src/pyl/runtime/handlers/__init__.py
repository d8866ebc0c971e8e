"""Handlers: how they are found, which event they take, and how they are called."""
