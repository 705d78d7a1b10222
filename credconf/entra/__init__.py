"""The wire: what is said to Microsoft Entra ID, and how."""
