"""The contract: ids, messages, states, money, settings and the rules that are arithmetic or a decision.

Nothing here touches the outside world. SQL tables are in `models.tables`, which workflows never import.
"""
