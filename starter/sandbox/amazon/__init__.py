"""Amazon, played: tokens, feeds, reports, orders, finances."""
