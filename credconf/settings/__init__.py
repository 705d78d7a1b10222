"""What can be configured: field types, formats, hints for keys that are no settings."""
