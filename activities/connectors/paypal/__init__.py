"""PayPal: the seller's charge by a vaulted payment token, and refunds of captures."""
