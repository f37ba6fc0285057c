"""Which addresses stay on this machine: what leaves it is not said in plain text."""

from ipaddress import ip_address


def is_loopback(host: str | None) -> bool:
    """Whether this name or address is this machine's own: `127.0.0.1`, `::1`, `[::1]`, `localhost`."""
    name = (host or "").strip("[]").rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False


def needs_tls(scheme: str, host: str | None) -> bool:
    """Whether what is said there could be read on the way: `http` to another machine."""
    return scheme != "https" and not is_loopback(host)
