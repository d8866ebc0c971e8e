import os

# As in Lambda: there are credentials when the module is imported, and nothing is looked for elsewhere.
os.environ |= {
    "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "example",
    "AWS_SESSION_TOKEN": "example-token",
    "AWS_EC2_METADATA_DISABLED": "true",
}
