"""What keeps an example out: filters, guards, novelty, near-duplicates, contamination."""
