"""Picture files: read whole or not at all.

OpenCV decodes what is left of a truncated file and paints the rest grey, so the end of the file is checked first.
"""

from pathlib import Path

import cv2
import numpy as np


def read_picture(path: Path) -> np.ndarray:
    """The picture in `path`, of any format OpenCV reads, as (H, W, 3) uint8 RGB, upright as its EXIF says.

    Raises:
        ValueError: the file is not a picture, or is cut short.
    """
    data = path.read_bytes()
    if not data:
        raise ValueError(f"{path}: the file is empty, expected a picture")
    if not is_complete(data):
        raise ValueError(f"{path}: the picture is cut short ({len(data):,} bytes); copy or download it again")
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)
    except cv2.error as error:
        raise ValueError(f"{path}: OpenCV cannot read it as a picture ({error.err})") from error
    if image is None:
        raise ValueError(f"{path}: not a picture that OpenCV can read; remove it or convert it to PNG or JPEG")
    return image


def is_complete(data: bytes) -> bool:
    """Whether a JPEG, PNG, WebP or BMP file has its end; True for anything else, which the decoder judges."""
    if data.startswith(b"\xff\xd8"):
        return _jpeg_ends(data)
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return data.rfind(b"IEND\xaeB`\x82") > 0  # chunk name and its fixed checksum
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return len(data) >= 8 + int.from_bytes(data[4:8], "little")
    if data.startswith(b"BM"):
        return len(data) >= int.from_bytes(data[2:6], "little")
    return True


def _jpeg_ends(data: bytes) -> bool:
    """Whether the end marker (ITU-T T.81, B.1.1.3) follows the first scan; an EXIF thumbnail carries one of its own."""
    position = 2
    while position + 4 <= len(data) and data[position] == 0xFF:
        marker = data[position + 1]
        if marker == 0xFF:  # fill byte
            position += 1
            continue
        if marker == 0xDA:  # start of scan
            return data.find(b"\xff\xd9", position) > 0
        position += 2 + int.from_bytes(data[position + 2:position + 4], "big")
    return False
