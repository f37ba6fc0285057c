"""A return: its facts, its plan, and how each of its effects is done (RET)."""
