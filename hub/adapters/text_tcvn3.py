"""The TCVN3 table (TCVN 5712:1993, set VN3: ".VnTime" and the ABC fonts), in pure Python.

VN3 has the lower-case letters with their tones and seven capitals without tone (Ă Â Ê Ô Ơ Ư Đ).
Capitals with tones exist in the font only (".VnTimeH"), so a byte string can't hold them. Bytes
80-9F and those of the larger set VN1 are not defined here and are refused, never guessed.
"""

from __future__ import annotations

_A1_AE = "ĂÂÊÔƠƯĐăâêôơưđ"
_RUNS = (
    (0xA1, _A1_AE),
    (0xB5, "àảãáạ"),
    (0xBB, "ằẳẵắ"),
    (0xC6, "ặầẩẫấậè"),
    (0xCE, "ẻẽéẹềểễếệìỉ"),
    (0xDC, "ĩíịò"),
    (0xE1, "ỏõóọồổỗốộờởỡớợù"),
    (0xF1, "ủũúụừửữứựỳỷỹýỵ"),
)

DECODE: dict[int, str] = {
    **{byte: chr(byte) for byte in range(0x80)},
    0xA0: "\u00a0",
    **{start + offset: char for start, run in _RUNS for offset, char in enumerate(run)},
}
"""Byte → character (NFC). A byte that is not a key is not TCVN3."""

ENCODE: dict[str, int] = {char: byte for byte, char in DECODE.items()}
