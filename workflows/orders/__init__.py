"""An order: charged to the seller, kept for its cancel window, bought from suppliers, shipped (ORD, CAN)."""
