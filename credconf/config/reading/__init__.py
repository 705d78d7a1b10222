"""Reads YAML and `.env` files as text with positions, and finds the entries in them."""
