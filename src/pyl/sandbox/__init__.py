"""Sandboxes: where packages run as in Lambda (`execution`), where images are captured (`capture`), and cgroups."""
