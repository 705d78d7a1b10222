"""The wire: requests to Microsoft Entra ID and their responses."""
