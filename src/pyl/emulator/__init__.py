"""Runs functions on this machine as Lambda would: environments, the Runtime API, and HTTP in front of them."""
