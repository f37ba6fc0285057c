"""Documents of feeds and reports: put and read at addresses that Amazon gives for five minutes. An address opens
the document without any key, so it is never logged."""

import zlib
from collections.abc import Iterator
from typing import BinaryIO, Final

import httpx

from activities.connectors.access import Access
from activities.connectors.amazon.wire import Document
from activities.connectors.http import Partner

MOST_BYTES: Final = 2 * 1024**3
"""Of a document that is read, unpacked: some millions of rows. What is larger is no report."""
_GZIP: Final = 16 + zlib.MAX_WBITS
_PIECE: Final = 64 * 1024


class Documents:
    """Of one account. Errors as in `activities.connectors.http`; an address that has expired is
    PartnerUnavailable: the next try asks for a new one."""

    def __init__(self, access: Access) -> None:
        self._access = access

    async def put(self, url: str, content: bytes, content_type: str) -> None:
        """Put a document there, of the content type that was told when the address was asked for."""
        what = "put a feed's document"
        partner, path = self._at(url)
        headers = {"Content-Type": content_type}
        answer = await partner.call(what, "PUT", path, content=content, headers=headers, expects={400, 403})
        if answer.status_code in (400, 403):
            raise partner.unavailable(what, "no longer takes it at this address", answer)

    async def read(self, document: Document, into: BinaryIO, most: int = MOST_BYTES) -> int:
        """Write a document, unpacked, into a file; gives how many bytes it has. Memory is bounded.

        Raises PartnerUnavailable also where it breaks off or is no GZIP, InvalidInput where it is longer than
        `most`.
        """
        what = "read a document"
        partner, _ = self._at(document.url)
        address = httpx.URL(document.url)
        unpacking = _Unpacking() if document.compression == "GZIP" else None
        try:
            async with self._access.clients.of(address).stream("GET", address) as answer:
                if not answer.is_success:
                    raise partner.unavailable(what, f"answered {answer.status_code} at the document's address")
                length = 0
                async for piece in answer.aiter_raw(_PIECE):
                    for plain in (piece,) if unpacking is None else unpacking.of(piece):
                        into.write(plain)
                        length += len(plain)
                        if length > most:
                            raise partner.invalid(what, f"it is longer than {most} bytes")
        except httpx.HTTPError as error:
            raise partner.unavailable(what, f"broke off ({type(error).__name__})") from None
        except zlib.error:
            raise partner.unavailable(what, "gave a document that is no GZIP") from None
        if unpacking is not None and not unpacking.is_whole:
            raise partner.unavailable(what, "gave a document that breaks off")
        return length

    def _at(self, url: str) -> tuple[Partner, str]:
        """The host of an address, and what of the address is the path. Raises where it can't be used."""
        address = httpx.URL(url)
        host = f"{address.scheme}://{address.netloc.decode()}"
        connection = self._access.connection.model_copy(update={"base_url": host})
        return Partner("Amazon document store", self._access._replace(connection=connection), {}), (
            address.raw_path.decode()
        )


class _Unpacking:
    """A GZIP document, piece by piece: its members one after the other, as RFC 1952 has them."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(_GZIP)

    @property
    def is_whole(self) -> bool:
        return self._member.eof

    def of(self, piece: bytes) -> Iterator[bytes]:
        """What comes of this piece. Raises zlib.error."""
        is_full = True
        while piece or is_full:
            if self._member.eof:
                if not (piece := piece.lstrip(b"\0")):
                    return
                self._member = zlib.decompressobj(_GZIP)
            plain = self._member.decompress(piece, _PIECE)
            yield plain
            is_full = len(plain) == _PIECE
            piece = self._member.unused_data if self._member.eof else self._member.unconsumed_tail
