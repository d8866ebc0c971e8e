"""Analysis of a project's code: its functions, their signatures and names, read without importing anything."""
