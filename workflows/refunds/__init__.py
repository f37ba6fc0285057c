"""A refund: one movement of money back, exactly once (REF); and what orders and returns know of theirs."""
