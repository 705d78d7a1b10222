"""Small modules that all others build on, without any notion of credentials."""
