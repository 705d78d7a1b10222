"""Tokens: when one is fresh, due or expired; one request for each; where they are kept."""
