"""What the edXML tests share: the sample files, the day they are read on, and a packet maker."""

from __future__ import annotations

import base64
from datetime import date
from pathlib import Path

import pytest

from hub.schemas.edxml import ReadOptions, read

SAMPLES = Path(__file__).parent / "samples"
TODAY = date(2026, 3, 20)
NAMESPACE = "http://www.mic.gov.vn/TBT/QCVN_102_2016"


@pytest.fixture
def sample():
    """Gives the bytes of a sample file by its path under ``samples``."""
    return lambda name: (SAMPLES / f"{name}.edxml").read_bytes()


@pytest.fixture
def options():
    """Options of the day on which the samples were sent."""
    return lambda **given: ReadOptions(TODAY, **given)


@pytest.fixture
def reading(options):
    """Reads bytes as on that day."""
    return lambda data, **given: read(data, options(**given))


def encoded_packet(base: bytes, content: bytes, media_type: str = "application/pdf") -> bytes:
    """Return the sample ``base`` (one attachment) with other content."""
    start = base.index(b">", base.index(b"<edXML:ContentTransferEncoded")) + 1
    end = base.index(b"</edXML:ContentTransferEncoded>")
    whole = base[:start] + base64.b64encode(content) + base[end:]
    return whole.replace(b">application/pdf<", f">{media_type}<".encode())


@pytest.fixture
def packet(sample):
    """Makes a packet around given content."""
    base = sample("defective/d11_corrupted_pdf_ufffd")
    return lambda content, media_type="application/pdf": encoded_packet(base, content, media_type)
