NAME = "kitchen"
