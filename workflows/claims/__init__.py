"""A claim: the seller sourced elsewhere what nobody had, and claims the cost (CLM-1, CLM-2)."""
