"""From cells to tidy Parquet: values, identity of agencies, versions, checks. Never the network, never SQL for people."""
