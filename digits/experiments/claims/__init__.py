"""What each report claims, and the criteria that decide it: one file a report."""
