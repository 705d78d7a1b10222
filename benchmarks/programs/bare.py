"""The floor: from the start of a process to its first line."""

print("token", flush=True)
