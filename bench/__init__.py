"""What Backhaul costs, beside a bare Temporal workflow that does the same: `make bench`, `docs/performance.md`."""
