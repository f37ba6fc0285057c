"""What a column may hold, said to the database itself: words, signs. Both databases know these conditions.

The migration says them in plain SQL: a test holds the two against each other, so that no word that is new in an
enum is forgotten there. What needs more than one row to be seen is said by the triggers of the migration.
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
    """A number of units, or a place in a list that begins with 1."""
    return CheckConstraint(f"{column} > 0", name=f"{column}_is_positive")


def not_negative(column: str) -> CheckConstraint:
    """A place in a list that begins with 0."""
    return CheckConstraint(f"{column} >= 0", name=f"{column}_is_not_negative")


def whole_numbers(*columns: str) -> CheckConstraint:
    """Numbers without a fraction: SQLite's integer columns keep `1.5`, and words, as they are."""
    condition = " AND ".join(f"CAST({column} AS BIGINT) = {column}" for column in columns)
    return CheckConstraint(condition, name="numbers_are_whole")


def positive_amount(column: str) -> CheckConstraint:
    """An amount of money: text on SQLite, where text is more than any number."""
    return CheckConstraint(f"CAST({column} AS NUMERIC) > 0", name=f"{column}_is_positive")


def no_negative_amount(*columns: str) -> CheckConstraint:
    """Amounts of money that may be nothing."""
    condition = " AND ".join(f"CAST({column} AS NUMERIC) >= 0" for column in columns)
    name = f"{columns[0]}_is_not_negative" if len(columns) == 1 else "amounts_are_not_negative"
    return CheckConstraint(condition, name=name)


def plain_numbers(*columns: str) -> CheckConstraint:
    """Amounts in digits: SQLite's text could be any word, PostgreSQL's NUMERIC could be `NaN` or `Infinity`."""
    return CheckConstraint(" AND ".join(_is_plain(column) for column in columns), name="amounts_are_plain_numbers")


def _is_plain(column: str) -> str:
    said = f"CAST({column} AS TEXT)"
    digits = f"ltrim({said}, '-0123456789.') = '' AND {said} NOT IN ('', '-', '.')"
    return f"{digits} AND {said} NOT LIKE '_%-%' AND {said} NOT LIKE '%.%.%'"


def currency_code(column: str = "currency") -> CheckConstraint:
    """Three capital letters; which of them are in use, `models.money` knows."""
    letters = f"ltrim({column}, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ') = ''"
    return CheckConstraint(f"length({column}) = 3 AND {letters}", name=f"{column}_is_a_code")


def yes_or_no(column: str) -> CheckConstraint:
    """SQLite keeps any number in a column of truth values."""
    return CheckConstraint(f"{column} IN (true, false)", name=f"{column}_is_yes_or_no")


def between_commas(*columns: str) -> CheckConstraint:
    """Lists of words: empty, or each between commas, as lists look for them (`,a,b,`)."""
    condition = " AND ".join(f"({column} = '' OR {column} LIKE ',_%,')" for column in columns)
    return CheckConstraint(condition, name="words_stand_between_commas")


def together(*columns: str) -> CheckConstraint:
    """All of them are there, or none is."""
    first, *others = columns
    condition = " AND ".join(f"({first} IS NULL) = ({other} IS NULL)" for other in others)
    return CheckConstraint(condition, name=f"{first}_is_whole")
