"""Pictures from bytes: decoded whole or not at all.

OpenCV decodes what is left of a truncated file and paints the rest grey, so the end of the file is checked first.
"""

import re

import cv2
import numpy as np

PNM = re.compile(rb"(P[56])" + 3 * rb"(?:\s+|#[^\n]*\n)+(\d+)" + rb"\s")  # magic, width, height, largest value


def decode_picture(data: bytes, place: str) -> np.ndarray:
    """The picture in the bytes of a file of any format OpenCV reads, (H, W, 3) uint8 RGB, upright as its EXIF says.

    Transparent pixels have the colour that is written under them. `place` is the file as errors name it.

    Raises:
        ValueError: it is not a picture, or is cut short.
    """
    return _decode(data, place, cv2.IMREAD_COLOR_RGB)


def decode_over_white(data: bytes, place: str) -> np.ndarray:
    """As `decode_picture`, with what is transparent laid over white."""
    image = _decode(data, place, cv2.IMREAD_UNCHANGED)
    if image.ndim == 2 or image.shape[2] != 4:
        return decode_picture(data, place)
    image = image.astype(np.float32) / np.iinfo(image.dtype).max
    colour, alpha = image[..., 2::-1], image[..., 3:]  # OpenCV's order is BGRA
    return np.rint(255 * (colour * alpha + 1 - alpha)).astype(np.uint8)


def _decode(data: bytes, place: str, mode: int) -> np.ndarray:
    if not data:
        raise ValueError(f"{place}: the file is empty, expected a picture")
    if not is_complete(data):
        raise ValueError(f"{place}: the picture is cut short ({len(data):,} bytes); copy or download it again")
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), mode)
    except cv2.error as error:
        raise ValueError(f"{place}: OpenCV cannot read it as a picture ({error.err})") from error
    if image is None:
        raise ValueError(f"{place}: not a picture that OpenCV can read; remove it or convert it to PNG or JPEG")
    return image


def is_complete(data: bytes) -> bool:
    """Whether a JPEG, PNG, WebP, BMP, PGM or PPM file has its end; True for others, which the decoder judges."""
    if data.startswith(b"\xff\xd8"):
        return _jpeg_ends(data)
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return data.rfind(b"IEND\xaeB`\x82") > 0  # chunk name and its fixed checksum
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return len(data) >= 8 + int.from_bytes(data[4:8], "little")
    if data.startswith(b"BM"):
        return len(data) >= int.from_bytes(data[2:6], "little")
    if data.startswith((b"P5", b"P6")):
        return _pnm_ends(data)
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


def _pnm_ends(data: bytes) -> bool:
    """Whether all samples that the header of a binary PGM or PPM announces are there."""
    header = PNM.match(data)
    if header is None:
        return False
    width, height, largest = map(int, header.groups()[1:])
    samples = width * height * (3 if header[1] == b"P6" else 1)
    return len(data) - header.end() >= samples * (2 if largest > 255 else 1)
