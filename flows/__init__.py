"""When and in what order: Prefect flows and the command line. Never parses a page, never holds SQL."""
