"""x86-64: see `pyl.image.arch`."""
