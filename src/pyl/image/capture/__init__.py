"""Runs a program under trace and takes snapshots of it."""
