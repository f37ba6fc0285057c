"""Corrections of parcels of orders that have ended (ORD-20)."""
