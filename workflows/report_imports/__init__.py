"""The import of a returns report (AMZ-1)."""
