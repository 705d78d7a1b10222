"""Fakes of what gives an application its identity without a secret: managed identities, CI services, the Azure CLI."""
