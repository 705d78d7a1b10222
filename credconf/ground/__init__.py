"""The ground: small modules that know nothing of credentials."""
