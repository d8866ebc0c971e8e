"""Configuration of a project: `[tool.pyl]` in `pyproject.toml`, environment variables and options."""
