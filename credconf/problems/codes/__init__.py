"""The codes of problems, a module for each family, each code with its explanation."""
