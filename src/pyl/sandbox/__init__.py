"""Sandboxes to run packages as Lambda does (`execution`) and to capture images (`capture`), and limits by cgroups."""
