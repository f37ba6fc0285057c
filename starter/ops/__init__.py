"""What runs and what is checked: the local stack, the dev server, replay, reconcile, the codec server."""
