"""Reasons that are ours, in the reader's language; what a person or a partner typed stays as it was typed (NTF-1).

Cases say their reasons in English, as the timeline keeps them. Here are those that reach a mail: a pattern
of the English, and the words with its groups in their places.
"""

import re
from collections.abc import Mapping
from typing import Final

_GERMAN: Final = (
    (r"you release each order", "Sie geben jede Bestellung selbst frei"),
    (r"it ships to (\w+)", "sie geht nach {0}"),
    (r"no warehouse has it", "kein Lager hat die Artikel"),
    (r"the supplier refused it", "der Lieferant hat abgelehnt"),
    (
        r"no warehouse has the (\d+) that the seller's own minimum asks for",
        r"kein Lager hat die {0} Stück, die Sie als Mindestbestand verlangen",
    ),
    (
        r"it is in stock in ([A-Z, ]+) only, and the order is in ([A-Z]+)",
        r"es gibt sie nur in {0} am Lager, und die Bestellung ist in {1}",
    ),
    (
        r"its payment is the one of order (\S+): one payment belongs to one order \(REF-3\)",
        r"ihre Zahlung gehört schon zur Bestellung {0}: Eine Zahlung gehört zu einer Bestellung",
    ),
    (
        r"the channel's order (.+) was taken before as order (\S+), and says the same \(ORD-17\)",
        r"die Bestellung {0} des Kanals ist schon als Bestellung {1} da, mit demselben Inhalt",
    ),
    (
        r"the channel's order (.+) was taken before as order (\S+); "
        r"this request differs from it in (.+) \(ORD-17\)",
        r"die Bestellung {0} des Kanals ist schon als Bestellung {1} da; diese hier weicht ab in: {2}",
    ),
    (
        r"no warehouse is known to have it: the stock of some is not known",
        "kein Lager hat die Artikel, soweit wir wissen: Nicht alle haben geantwortet",
    ),
    # returns
    (r"the item can't be taken back", "der Artikel kann nicht zurückgenommen werden"),
    (r"withdrawn", "zurückgezogen"),
    (r"stopped by staff", "von Mitarbeitern beendet"),
    (r"no reason given", "ohne Angabe von Gründen"),
    (r"refund (\S+) failed", "die Erstattung {0} ist fehlgeschlagen"),
    (r"its order is (\w+)", "seine Bestellung ist {0}"),
    (r"cancelled", "storniert"),
    (r"voided", "hinfällig"),
    (r"refused", "abgelehnt"),
    (r"stopped", "beendet"),
    (r"terminated", "abgebrochen"),
    (r"return (\S+) was withdrawn", "die Rücksendung {0} wurde zurückgezogen"),
    (r"return (\S+) was declined", "für die Rücksendung {0} gibt es keine Erstattung"),
    (r"return (\S+) goes on without a replacement", "die Rücksendung {0} geht ohne Ersatz weiter"),
    (r"the marketplace refunded the buyer", "der Marktplatz hat dem Käufer erstattet"),
    # refunds
    (
        r"refund (\S+) is in doubt, and may have been made \((.+)\)",
        "bei der Erstattung {0} ist nicht bekannt, ob sie erfolgt ist ({1})",
    ),
    (
        r"([\d.]+) (\w+) is more than the ([\d.]+) \w+ still refundable \(paid ([\d.]+), refunded or pending "
        r"([\d.]+)\); ask for less, or let the seller allow over-refunds",
        "{0} {1} ist mehr als die {2} {1}, die noch erstattet werden können "
        "(bezahlt {3}, erstattet oder unterwegs {4})",
    ),
    (
        r"an over-refund needs a person of the seller or of staff, and (.+) asks \(REF-12\)",
        "mehr als bezahlt wurde, darf nur eine Person des Verkäufers oder der Mitarbeiter erstatten, nicht {0}",
    ),
    (
        r"(.+) may not make an over-refund; (.+) may \(REF-12\)",
        "{0} darf nicht mehr erstatten, als bezahlt wurde; das dürfen {1}",
    ),
    (r"rejected by (\w+:[^:]+): (.+)", "abgelehnt von {0}: {1}"),
    (
        r"nothing is left to refund: ([\d.]+) of ([\d.]+ \w+) is refunded or pending",
        "es ist nichts mehr zu erstatten: {0} von {1} sind erstattet oder unterwegs",
    ),
    (
        r"after fees of ([\d.]+) and refunds of ([\d.]+ \w+) nothing is left to refund; give an amount \(REF-4\)",
        "nach Gebühren von {0} und Erstattungen von {1} bleibt nichts zu erstatten; nennen Sie einen Betrag",
    ),
    (
        r"the buyer paid nothing for it: there is nothing to refund \(ORD-15\)",
        "der Käufer hat dafür nichts bezahlt: Es gibt nichts zu erstatten",
    ),
    (
        r"nothing was paid for these units: there is nothing to refund \(ORD-15\)",
        "für diese Stücke wurde nichts bezahlt: Es gibt nichts zu erstatten",
    ),
    (
        r"nothing was paid for order (\S+): there is nothing to refund to the buyer \(ORD-15\)",
        "für die Bestellung {0} wurde nichts bezahlt: Es gibt nichts zu erstatten",
    ),
    (
        r"the payment was in (\w+), the refund is in (\w+)",
        "bezahlt wurde in {0}, erstattet werden soll in {1}",
    ),
    (
        r"(?:the )?amount is finer than \w+ can move: give a multiple of ([\d.]+ \w+)(?: \(REF-14\))?",
        "der Betrag ist feiner, als der Zahlungsdienst ihn bewegen kann: Nennen Sie ein Vielfaches von {0}",
    ),
    (
        r"what is left is less than the gateway can move: record it with way manual \(REF-14\)",
        "der Rest ist weniger, als der Zahlungsdienst bewegen kann: "
        "Erstatten Sie ihn anders und tragen Sie es ein",
    ),
    (
        r"the buyer paid by (.+), which no gateway gives back: refund it there, then record it with way manual "
        r"\(REF-9\)",
        "der Käufer hat mit {0} bezahlt, was kein Zahlungsdienst zurückgibt: "
        "Erstatten Sie dort und tragen Sie es ein",
    ),
    (
        r"no single (?:payment|charge|\d+) can carry ([\d.]+ \w+): it is refunded in parts, (.+) \(REF-3\)",
        "keine einzelne Zahlung reicht für {0}: Es wird in Teilen erstattet",
    ),
    (
        r"refund (\S+) was made in parts already: (.+); not repeated \(REF-6\)",
        "die Erstattung {0} ist in Teilen schon gemacht: {1}",
    ),
    (
        r"the gateway can give back only ([\d.]+) of ([\d.]+ \w+) \((.+)\): refund that, and record with way "
        r"manual what goes back another way \(REF-9\)",
        "der Zahlungsdienst kann nur {0} von {1} zurückgeben ({2}): Erstatten Sie das, "
        "und tragen Sie ein, was anders zurückgeht",
    ),
    (
        r"(\d+) of (.+) can't be refunded: the order has (\d+), (\d+) of them are refunded or being refunded "
        r"\(REF-13\)(?:, \d+ are replaced \(RET-24\))?; name other units, or an amount alone",
        "{0} von {1} können nicht erstattet werden: Die Bestellung hat {2}, davon sind {3} schon erstattet",
    ),
    (r"the marketplace refunded the buyer already \(RET-18\)", "der Marktplatz hat dem Käufer schon erstattet"),
    (
        r".+ replaces it: the buyer's money is not refunded as well \(RET-24\)",
        "es gibt schon Ersatz dafür: Das Geld wird nicht auch noch erstattet",
    ),
    (
        r"(\d+) of (.+) are replaced by .+: money is refunded for the others only \(RET-24\)",
        "{0} von {1} werden ersetzt: Geld gibt es nur für die anderen",
    ),
    (
        r".+ replaces the rest: at most ([\d.]+ \w+) can be refunded \(RET-24\)",
        "der Rest wird ersetzt: Höchstens {0} können erstattet werden",
    ),
    (
        r"a refund (\S+) exists already, and its end is not known yet",
        "eine Erstattung {0} gibt es schon, und ihr Ende ist noch nicht bekannt",
    ),
    (r"no order (\S+)", "es gibt keine Bestellung {0}"),
    (r"no return (\S+) of order (\S+)", "zur Bestellung {1} gibt es keine Rücksendung {0}"),
    (r"order (\S+): (.+)", "Bestellung {0}: {1}"),
    (
        r"no refund (\S+) is known here; nothing was sent",
        "eine Erstattung {0} ist hier nicht bekannt; es wurde nichts gesendet",
    ),
    (
        r"nothing was captured from the seller for order (\S+)",
        "für die Bestellung {0} wurde vom Verkäufer nichts eingezogen",
    ),
    (
        r"charge (\S+) has no reference at the gateway: record the refund as manual",
        "die Belastung {0} hat keine Nummer beim Zahlungsdienst: Erstatten Sie anders und tragen Sie es ein",
    ),
    (
        r"the seller does not refund this return \((.+): (.+)\) \(RET-27\)",
        "der Verkäufer erstattet diese Rücksendung nicht ({0}: {1})",
    ),
    (r"(\d+) of (.+): the return has (\d+) \(RET-\d+\)", "{0} von {1}: Die Rücksendung hat {2}"),
    # the seller's charge
    (r"there is no payment method on file", "es ist keine Zahlungsart hinterlegt"),
    (r"declined", "abgelehnt"),
    (r"insufficient_funds", "keine Deckung"),
    (r"(?:card_expired|expired_card)", "die Karte ist abgelaufen"),
    (r"card_declined", "die Karte wurde abgelehnt"),
    (r"card_invalid", "die Karte ist ungültig"),
    (r"card_not_accepted", "die Karte wird nicht angenommen"),
    (r"payment_profile_not_found", "die Zahlungsart ist beim Zahlungsdienst nicht bekannt"),
    (r"payment_method_not_at_this_gateway", "die Zahlungsart gehört zu einem anderen Zahlungsdienst"),
    (r"held_for_review", "der Zahlungsdienst hält die Zahlung zur Prüfung zurück"),
    (r"payment_not_found", "der Zahlungsdienst kennt die Zahlung nicht"),
    (r"currency_mismatch", "die Zahlung war in einer anderen Währung"),
    (r"amount_too_large", "so viel ist bei dieser Zahlung nicht mehr zu erstatten"),
    (r"refund_window_over", "die Zahlung ist zu alt, um über den Zahlungsdienst erstattet zu werden"),
    # of several items, each with its own reason
    (r"(\d+ x [^:;]+): (.+?); (\d+ x .+)", "{0}: {1}; {2}"),
    (r"(\d+ x [^:;]+): (.+)", "{0}: {1}"),
)
PHRASES: Final[Mapping[str, tuple[tuple[re.Pattern[str], str], ...]]] = {
    "de": tuple((re.compile(english), german) for english, german in _GERMAN)
}


def in_language(reason: str, language: str) -> str:
    """The reason in this language (`de-AT` too), where it is ours and known there, and so the reasons of which it
    is made; else as it is."""
    for english, said in PHRASES.get(language.partition("-")[0], ()):
        if found := english.fullmatch(reason):
            return said.format(*(in_language(part, language) for part in found.groups()))
    return reason
