"""What is wrong with a configuration, and where: used only when there is something to report, or to warn about."""
