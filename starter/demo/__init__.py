"""The demo: stories of orders and returns, played on the local stack, and judged by what really happened."""
