"""A supplier-cost review: who bears the cost, after the buyer was refunded (BAL-2)."""
