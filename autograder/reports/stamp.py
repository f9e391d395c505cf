"""What a picture shows, as a hash in the picture itself: a test sees where the data are others by now.

The hash stands in a text chunk of the PNG under the key `Data`; programs that show pictures pass it over.
"""

from __future__ import annotations

import hashlib
import json
import struct
import zlib
from pathlib import Path

KEY = "Data"
_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def stamp(shown: object) -> dict[str, str]:
    """The entry for `savefig(..., metadata=...)`; `shown`: whatever JSON holds, with numbers as they are drawn."""
    text = json.dumps(shown, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return {KEY: hashlib.sha256(text.encode()).hexdigest()}


def read_stamp(picture: Path) -> str | None:
    """The hash in a PNG, None where there is none; ValueError for a file that is no PNG."""
    for kind, data in _chunks(picture):
        key, _, value = data.partition(b"\0")
        if kind == b"tEXt" and key == KEY.encode():
            return value.decode("latin-1")
    return None


def write_stamp(picture: Path, shown: object) -> None:
    """Put the hash into a PNG that another program made, in place of one that is there."""
    written = KEY.encode() + b"\0" + stamp(shown)[KEY].encode()
    kept = [(kind, data) for kind, data in _chunks(picture) if kind != b"tEXt" or not data.startswith(KEY.encode())]
    chunks = [kept[0], (b"tEXt", written), *kept[1:]]
    picture.write_bytes(_SIGNATURE + b"".join(_chunk(kind, data) for kind, data in chunks))


def _chunks(picture: Path) -> list[tuple[bytes, bytes]]:
    content = picture.read_bytes()
    if not content.startswith(_SIGNATURE):
        raise ValueError(f"{picture} is no PNG")
    found, position = [], len(_SIGNATURE)
    while position < len(content):
        (length,) = struct.unpack(">I", content[position : position + 4])
        found.append((content[position + 4 : position + 8], content[position + 8 : position + 8 + length]))
        position += length + 12
    return found


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
