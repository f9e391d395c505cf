"""What a picture shows, as a hash in the picture itself: a test sees where the data are others by now.

The hash stands in a text chunk of the PNG under the key `Data`; programs that show pictures pass it over.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.PngImagePlugin import PngImageFile

KEY = "Data"


def stamp(shown: object) -> dict[str, str]:
    """The entry for `savefig(..., metadata=...)`; `shown`: whatever JSON holds, with numbers as they are drawn."""
    text = json.dumps(shown, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return {KEY: hashlib.sha256(text.encode()).hexdigest()}


def read_stamp(picture: Path) -> str | None:
    """The hash in a PNG, None where there is none; ValueError for a file that is no PNG."""
    with _opened(picture) as image:
        return image.text.get(KEY)


def write_stamp(picture: Path, shown: object) -> None:
    """Put the hash into a PNG that another program made, in place of one that is there."""
    from PIL.PngImagePlugin import PngInfo

    with _opened(picture) as image:
        kept = PngInfo()
        for key, text in (image.text | stamp(shown)).items():
            kept.add_text(key, text)
        image.save(picture, pnginfo=kept, optimize=True)


def _opened(picture: Path) -> PngImageFile:
    from PIL import Image, UnidentifiedImageError
    from PIL.PngImagePlugin import PngImageFile

    try:
        image = Image.open(picture, formats=["PNG"])
    except UnidentifiedImageError:
        raise ValueError(f"{picture} is no PNG") from None
    assert isinstance(image, PngImageFile)
    image.load()
    return image
