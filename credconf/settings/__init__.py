"""What can be configured: how a setting is declared, the types of fields, and the formats of their text."""
