"""A batch: one document of refunds or cancellations, from the queue to what Amazon makes of it (AMZ-5, AMZ-10)."""
