"""The seller's shop, by its JSON API (docs/partner-api.md)."""
