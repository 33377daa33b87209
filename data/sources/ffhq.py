"""Flickr-Faces-HQ (Karras, Laine & Aila 2019, "A style-based generator architecture for generative adversarial
networks", CVPR): 70,000 aligned faces as PNG, 1024×1024 or as 128×128 thumbnails.

Reads the publisher's folders, `00000/00000.png`, or the .zip that StyleGAN's tools make of them, `img00000000.png`.
As the publisher has it, the first 60,000 are for training and the last 10,000 for validation.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from data.sources.archive import open_files
from data.sources.source_error import SourceError

WHERE = ("FFHQ is given out by NVIDIA: github.com/NVlabs/ffhq-dataset. Put thumbnails128x128 (or images1024x1024), the "
         "folder or a .zip of it, into data/raw/ffhq and run: ./run configure data=ffhq data.path=data/raw/ffhq")
TERMS = "FFHQ: CC BY-NC-SA 4.0, non-commercial; each picture has its own licence, named in ffhq-dataset-v2.json"
TRAINING, ALL = 60_000, 70_000


def read(path: Path) -> Iterator[tuple[np.ndarray, dict]]:
    """Yields every picture (H, W, 3) uint8 RGB and its `source`, `origin`, `split`.

    Raises:
        SourceError: a picture is broken, not square, or not named by its number below 70,000.
    """
    with open_files(path) as files:
        for name, match in files.match(r"(?:img\d{3})?(\d{5})\.png", "by its number, as 00000.png is", WHERE).items():
            number = int(match[1])
            if number >= ALL:
                raise SourceError(f"{files.place(name)}: number {number}, but FFHQ has {ALL:,} pictures from 0 on")
            split = "train" if number < TRAINING else "validation"
            image = files.picture(name)
            if image.shape[0] != image.shape[1]:
                raise SourceError(f"{files.place(name)}: {image.shape[1]}×{image.shape[0]} pixels, expected a square; "
                                  "take the aligned pictures, not in-the-wild-images")
            yield image, {"source": "ffhq", "origin": name, "split": split}
