"""Checks of this machine and the AWS account for what pyl requires."""
