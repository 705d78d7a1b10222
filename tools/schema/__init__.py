"""Generates the JSON Schema of a configuration file, for editors, from the declarations of the settings."""
