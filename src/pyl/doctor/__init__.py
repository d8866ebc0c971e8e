"""Whether this machine and this account have what pyl needs: each thing found, or the way to get it."""
