"""The JSON Schema of a configuration file, for editors: generated from the declarations of the settings."""
