"""From a process's start to its first line: the floor of the two others."""

print("token", flush=True)
