"""The files of a process image: their format, layout and description."""
