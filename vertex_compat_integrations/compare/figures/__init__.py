"""The figures of a comparison: percentiles, summary, report."""
