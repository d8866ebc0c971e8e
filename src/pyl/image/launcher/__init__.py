"""The launcher and the capture loader: C, and what compiles it."""
