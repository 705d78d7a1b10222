"""Turns files, variables and arguments into one validated settings model, with the origin of every value."""
