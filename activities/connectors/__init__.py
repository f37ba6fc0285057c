"""Connectors to partners: one room per provider, on one way of speaking HTTP."""
