"""Deployment of functions to AWS."""
