"""What a project is: its configuration, its functions (found without importing them), its dependencies."""
