"""The project as templates of other tools: AWS SAM and Terraform, from the same configuration as `pyl deploy`."""
