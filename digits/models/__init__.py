"""The networks of the reports, one file a report."""
