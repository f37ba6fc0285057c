"""The model of a replacement's order, as its return sees it (RET-24)."""

from dataclasses import dataclass, replace

WORDS = ("ships one", "nobody has it", "cancelled", "with supplier", "too late", "stopped")
"""What its order says. `nobody has it`: what is open is voided; `too late`: its return gave it up in vain."""


@dataclass(frozen=True)
class Another:
    """The order of so many units."""

    units: int
    shipped: int = 0
    gone: int = 0
    """Cancelled or voided: the buyer does not get them."""
    with_supplier: bool = False
    ended: bool = False
    asked_to_cancel: bool = False
    too_late: bool = False
    abandoned: bool = False
    """It was given up when its order had ended, and nobody knew what became of the rest."""

    @property
    def open(self) -> int:
        return self.units - self.shipped - self.gone

    @property
    def may_come(self) -> bool:
        return self.open > 0 and not self.abandoned

    @property
    def replaced(self) -> int:
        """Units that the buyer gets, or may get."""
        return self.shipped + (self.open if self.may_come else 0)

    def given_up(self) -> "Another":
        """Its return asks it to cancel; an order that has ended can't be asked."""
        return replace(self, asked_to_cancel=True, abandoned=self.ended and self.open > 0)

    def said(self, word: str) -> "Another":
        """What is so after its order said this; nothing follows from what can't be."""
        if self.ended:
            return self
        match word:
            case "ships one":
                return replace(self, shipped=self.shipped + 1, with_supplier=True, ended=self.open == 1)
            case "nobody has it":
                return replace(self, gone=self.units - self.shipped, ended=True)
            case "cancelled" if not self.with_supplier:
                return replace(self, gone=self.units, ended=True)
            case "with supplier":
                return replace(self, with_supplier=True)
            case "too late" if self.asked_to_cancel and self.with_supplier:
                return replace(self, too_late=True)
            case "stopped":
                return replace(self, gone=self.gone if self.with_supplier else self.units, ended=True)
        return self
