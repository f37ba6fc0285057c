"""Authorize.Net: the seller's charge by a customer profile, and refunds of transactions."""
