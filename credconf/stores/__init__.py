"""Where processes share tokens: one file for each place."""
