import sys

print("leaving at import")
sys.exit(3)
