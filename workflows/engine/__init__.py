"""The engine of every kind of case: facts in, plan out; effects in tasks of their own, one main await."""
