"""Reading: files and tables of others become requests, each row placed, counted and kept or quarantined."""
