"""Templates for AWS SAM and Terraform, from the same configuration as `pyl deploy`."""
