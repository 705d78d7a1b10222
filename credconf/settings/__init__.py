"""The parts of settings: their declaration, the types of fields, and the formats of their text."""
