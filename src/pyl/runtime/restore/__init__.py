"""Capture of process images inside of the program, and what restored processes do before they serve."""
