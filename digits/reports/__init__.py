"""What each report ran and printed, one file a report: rows of the one table of experiments."""
