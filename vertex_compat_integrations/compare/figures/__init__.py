"""What the answers add up to: percentiles, summary, report."""
