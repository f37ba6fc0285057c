"""Stripe: the seller's charge, and refunds of sellers and buyers."""
