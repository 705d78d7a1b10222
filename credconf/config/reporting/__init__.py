"""Problems and warnings of a configuration, and their places. Used only if there is something to report."""
