"""Deliveries of orders that have ended (RET-22)."""
