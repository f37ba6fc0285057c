"""One message to the mail server: sent, impossible for good, or to be tried again (NTF-8)."""

from datetime import timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from typing import Final

import aiosmtplib
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.connectors.bulkhead import Bulkhead, Limits, NotAsked, retry_delay
from activities.connectors.http import Trouble, failure
from activities.mail.message import needs_international_mail
from activities.mail.refusals import ANY_MAIL, LOGIN, SENDER, OurFault, is_final, our_fault
from models.failures import HANDLING, Category
from models.settings import Settings

WHAT: Final = "send a mail"
_FIRST_RETRY: Final = timedelta(seconds=5)
_LONGEST_RETRY: Final = timedelta(minutes=30)
_SMTPS_PORT: Final = 465
_TOO_LARGE: Final = 552
"""What a server that was told the size answers before it has seen the mail."""


class Undeliverable(Exception):
    """The mail can't go, whenever it is tried. The text says why, without the address."""


class NeedsInternationalMail(Undeliverable):
    """An address has letters that this mail server can't carry."""


class MailServer:
    """The mail server of the settings; while it can't be reached, one mail at a time tries whether it is back."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._bulkhead = Bulkhead("mail server", Limits.of(settings))

    async def deliver(self, message: EmailMessage, sender: Address, to: Address, *others: Address) -> None:
        """Hand the message over. `others`: addresses that its headers name beside these.

        Raises Undeliverable when the server refuses recipient or mail for good, ApplicationError
        `PartnerUnavailable` while it is down or says: later, `ConnectionUnusable` while it refuses our login, our
        own address or all mail from us. The server's words may quote the address: not kept.
        """
        try:
            async with self._bulkhead.attempt() as attempt:
                try:
                    await _hand_over(self._settings, message, sender, to, *others)
                except _Unreachable as error:
                    attempt.failed(str(error))
                    raise mail_failure(Category.PARTNER_UNAVAILABLE, f"the mail server {error}: {WHAT}") from None
                attempt.answered()
        except NotAsked as no:
            raise mail_failure(Category.PARTNER_UNAVAILABLE, f"the mail server {no.why}: {WHAT}") from None


class _Unreachable(Exception):
    """There is no answer; the text follows the server's name in a sentence."""


async def _hand_over(
    settings: Settings, message: EmailMessage, sender: Address, to: Address, *others: Address
) -> None:
    international = needs_international_mail(sender, to, *others)
    smtps = settings.smtp_tls and settings.smtp_port == _SMTPS_PORT
    try:
        await aiosmtplib.send(
            message.as_bytes(),
            sender=sender.addr_spec,
            recipients=[to.addr_spec],
            mail_options=["SMTPUTF8"] if international else [],
            hostname=settings.smtp_host,
            port=settings.smtp_port,
            username=settings.smtp_user,
            password=settings.smtp_password.get_secret_value() if settings.smtp_password else None,
            timeout=settings.partner_timeout_seconds,
            use_tls=smtps,
            start_tls=settings.smtp_tls and not smtps,
            local_hostname=str(settings.mail_from).rpartition("@")[2],
        )
    except aiosmtplib.SMTPRecipientsRefused as error:
        raise _recipient_refused(error) from None
    except aiosmtplib.SMTPDataError as error:
        raise _refused(error, "the mail") from None
    except aiosmtplib.SMTPNotSupported as error:
        if international and "SMTPUTF8" in str(error):
            raise NeedsInternationalMail(
                "the address has letters beyond ASCII, and the mail server does not offer SMTPUTF8"
            ) from None
        raise _later(error) from None
    except aiosmtplib.SMTPSenderRefused as error:
        if error.code == _TOO_LARGE:
            raise Undeliverable(f"the mail server refused the mail ({error.code})") from None
        if is_final(error.code):
            login = our_fault(error.code, error.message) is LOGIN
            raise _to_mend(LOGIN if login else SENDER, error.code) from None
        raise _later(error) from None
    except aiosmtplib.SMTPAuthenticationError as error:
        raise (_to_mend(LOGIN, error.code) if is_final(error.code) else _later(error)) from None
    except (aiosmtplib.SMTPConnectResponseError, aiosmtplib.SMTPHeloError) as error:
        # RFC 5321: it refuses whoever comes from here
        raise (_to_mend(ANY_MAIL, error.code) if is_final(error.code) else _later(error)) from None
    except (aiosmtplib.SMTPException, OSError) as error:
        if type(error) is aiosmtplib.SMTPException:
            raise _not_offered(settings) from None
        raise _later(error) from None
    except ValueError:
        raise Undeliverable("the address is not one that a mail can go to") from None


def _recipient_refused(error: aiosmtplib.SMTPRecipientsRefused) -> Exception:
    """It is written to one recipient at a time."""
    return _refused(error.recipients[0], "the address") if error.recipients else _later(error)


def _refused(error: aiosmtplib.SMTPResponseException, what: str) -> Exception:
    """Later; once staff have mended what the server refuses of us; or never."""
    if not is_final(error.code):
        return _later(error)
    if (ours := our_fault(error.code, error.message)) is not None:
        return _to_mend(ours, error.code)
    return Undeliverable(f"the mail server refused {what} ({error.code})")


def _to_mend(ours: OurFault, code: int) -> ApplicationError:
    """NTF-9: no try helps until somebody mends a setting here."""
    why = f"the mail server refuses {ours.what} ({code}): correct {ours.settings}, and start the workers anew"
    return mail_failure(Category.CONNECTION_UNUSABLE, why, code)


def _not_offered(settings: Settings) -> ApplicationError:
    """The client itself refuses to go on: the server offers no encryption, or no login in a way that it knows."""
    what = "BACKHAUL_SMTP_TLS, BACKHAUL_SMTP_PORT" if settings.smtp_tls else "BACKHAUL_SMTP_PORT"
    login = ", BACKHAUL_SMTP_USER" if settings.smtp_user else ""
    why = (
        f"the mail server does not offer what the settings want: correct {what}{login}, and start the workers anew"
    )
    return mail_failure(Category.CONNECTION_UNUSABLE, why)


def _later(error: Exception) -> ApplicationError:
    """Raises _Unreachable where there was no answer at all."""
    code = _code_of(error)
    if code is None:
        raise _Unreachable(f"can't be reached ({type(error).__name__})")
    return mail_failure(Category.PARTNER_UNAVAILABLE, f"the mail server answered {code}: {WHAT}", code)


def _code_of(error: Exception) -> int | None:
    code = getattr(error, "code", None)
    return code if isinstance(code, int) and code > 0 else None


def mail_failure(category: Category, message: str, status: int | None = None) -> ApplicationError:
    """A failure of the closed set, at the mail server."""
    trouble = Trouble(who_acts=HANDLING[category].who_acts, partner="mail server", call=WHAT, status=status)
    unavailable = category is Category.PARTNER_UNAVAILABLE
    attempt = activity.info().attempt if activity.in_activity() else 1
    pause = retry_delay(attempt, _FIRST_RETRY, _LONGEST_RETRY) if unavailable else None
    return failure(category, message, trouble, next_retry_delay=pause)
