"""The broker's supplier network, by its JSON API (docs/partner-api.md)."""
