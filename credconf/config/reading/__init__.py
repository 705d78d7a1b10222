"""Files as text with positions: YAML, `.env`, sections, entries."""
