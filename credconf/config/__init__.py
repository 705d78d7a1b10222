"""From files, variables and arguments to one validated settings model, with the origin of every value."""
