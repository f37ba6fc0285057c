"""The reports as one HTML page: charts to look at, a table beside each, nothing loaded from elsewhere."""
