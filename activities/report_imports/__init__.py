"""The import of a returns report: fetched from Amazon, kept in the database, taken return by return (AMZ-1)."""
