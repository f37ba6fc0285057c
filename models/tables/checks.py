"""What a column may hold, said to the database itself: words, signs. Both databases know these conditions.

The migration says them in plain SQL: a test holds the two against each other, so that no word that is new in an
enum is forgotten there.
"""

from collections.abc import Iterable

from sqlalchemy import CheckConstraint


def among(column: str, words: Iterable[str]) -> str:
    """The condition that a column holds one of these words."""
    return f"{column} IN ({', '.join(repr(str(word)) for word in words)})"


def one_of(column: str, words: Iterable[str]) -> CheckConstraint:
    """One of an enum's words, or nothing where the column may be empty."""
    return CheckConstraint(among(column, words), name=f"{column}_is_a_known_word")


def positive(column: str) -> CheckConstraint:
    """A number of units."""
    return CheckConstraint(f"{column} > 0", name=f"{column}_is_positive")


def positive_amount(column: str) -> CheckConstraint:
    """An amount of money: text on SQLite, where text is more than any number."""
    return CheckConstraint(f"CAST({column} AS REAL) > 0", name=f"{column}_is_positive")


def no_negative_amount(*columns: str) -> CheckConstraint:
    """Amounts of money that may be nothing."""
    condition = " AND ".join(f"CAST({column} AS REAL) >= 0" for column in columns)
    name = f"{columns[0]}_is_not_negative" if len(columns) == 1 else "amounts_are_not_negative"
    return CheckConstraint(condition, name=name)
