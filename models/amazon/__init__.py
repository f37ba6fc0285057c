"""What is said and kept of sellers' accounts at Amazon."""
