"""Builds packages for AWS Lambda: interpreted and native, on this machine or in a container."""
