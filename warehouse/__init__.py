"""From tidy Parquet to the DuckDB file people open: schema, views, publishing. Never parses a page."""
