"""The benchmark: measures the same function as a native and as an interpreted package."""
