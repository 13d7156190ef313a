"""Base64 text of any length, decoded as it comes in: counted, digested, kept on disk when large."""

from __future__ import annotations

import binascii
import hashlib
from tempfile import SpooledTemporaryFile

from hub.errors import EdxmlAttachment
from hub.errors.base import Place
from hub.safexml import MIB

_FLUSH = 64 * 1024
"""Characters collected before decoding; a multiple of 4 is taken from them."""
_BLANKS = b" \t\r\n"


class PayloadStream:
    """The text of one ``ContentTransferEncoded``. Up to 1 MiB stays in memory, more on disk."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.size = 0
        self.file = SpooledTemporaryFile(max_size=MIB)  # noqa: SIM115 - closed by close()
        self._digest = hashlib.sha256()
        self._buffer = bytearray()
        self._padded = False

    @property
    def sha256(self) -> str:
        """SHA-256 of the decoded bytes, hex."""
        return self._digest.hexdigest()

    def feed(self, text: str) -> None:
        """Take the next piece of text; raises ``EdxmlAttachment`` when it is not base64."""
        try:
            self._buffer += text.encode("ascii").translate(None, _BLANKS)
        except UnicodeEncodeError as error:
            raise self._refused() from error
        if len(self._buffer) >= _FLUSH:
            self._flush()

    def finish(self) -> None:
        """Take what is left; raises ``EdxmlAttachment`` when the last group is not whole."""
        self._flush()
        if self._buffer:
            raise self._refused()

    def close(self) -> None:
        """Forget the bytes."""
        self.file.close()

    def head(self, size: int) -> bytes:
        """Return the first ``size`` bytes."""
        self.file.seek(0)
        return self.file.read(size)

    def tail(self, size: int) -> bytes:
        """Return the last ``size`` bytes."""
        self.file.seek(max(0, self.size - size))
        return self.file.read(size)

    def _flush(self) -> None:
        whole = len(self._buffer) // 4 * 4
        if not whole:
            return
        chunk = bytes(self._buffer[:whole])
        del self._buffer[:whole]
        if self._padded:
            raise self._refused()
        self._padded = chunk.endswith(b"=")
        try:
            data = binascii.a2b_base64(chunk, strict_mode=True)
        except binascii.Error as error:
            raise self._refused() from error
        self.size += len(data)
        self._digest.update(data)
        self.file.write(data)

    def _refused(self) -> EdxmlAttachment:
        return EdxmlAttachment(
            name=self.path.rsplit("/", 1)[-1],
            reason="its content is not base64",
            reason_vi="nội dung không phải base64",
            place=Place(path=self.path),
        )
