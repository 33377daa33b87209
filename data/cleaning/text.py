"""Rule `text`: how much of a picture is covered by writing that can be read (PP-OCRv6 by way of rapidocr, Apache-2.0).

The detector of writing (differentiable binarization, Liao et al. 2020) takes every fourth face for one large letter.
So what it finds must also be read, with confidence and as more than a single letter or two.
"""

from functools import cache
from pathlib import Path

import cv2
import numpy as np

from data.cleaning.look import Look

WORSE = "higher"
MEASURE = "share of the picture under readable writing"
SIDE = 256  # pixels at which writing is looked for: 25 ms of one core; 15 ms at 192, 42 ms at 320
LARGEST = 0.3  # share of the picture; larger finds are faces, and reading them costs as much as all the rest
FOUND = 0.4  # least score of a find; half-transparent watermarks get no more
READ = 1.8  # least number of letters and digits that are expected to be read rightly: two are read into spectacles


def measure(look: Look) -> float:
    """The area of all sure readings as a share of the picture's, in [0, 1]; overlaps count twice, up to 1 in all."""
    image = cv2.resize(look.image, (SIDE, SIDE), interpolation=cv2.INTER_AREA if len(look.image) > SIDE
                       else cv2.INTER_CUBIC)[..., ::-1]  # rapidocr wants OpenCV's order of channels
    boxes = _reader()(image, use_det=True, use_rec=False).boxes
    if boxes is None:
        return 0.0
    areas = np.array([cv2.contourArea(box) for box in boxes.astype(np.float32)]) / SIDE**2
    small = np.flatnonzero(areas <= LARGEST)
    if not len(small):
        return 0.0
    pieces = [_straight(image, boxes[one].astype(np.float32)) for one in small]
    read = _reader().recognize_txt(pieces)
    sure = [score * sum(map(str.isalnum, text)) >= READ for text, score in zip(read.txts, read.scores, strict=True)]
    return min(1.0, float(areas[small][sure].sum()))


def _straight(image: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """The piece of `image` between `corners` (4, 2), clockwise from the top left, laid straight; upright is turned."""
    width, height = (max(2, round(float(np.linalg.norm(side)))) for side in corners[[1, 3]] - corners[0])
    flat = np.float32([[0, 0], [width, 0], [width, height], [0, height]])
    piece = cv2.warpPerspective(image, cv2.getPerspectiveTransform(corners, flat), (width, height),
                                flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.rot90(piece) if height >= 1.5 * width else piece


@cache
def _reader():
    """The reader of this process: on one core, because pictures are shared out among processes.

    Its networks are named by path, which keeps rapidocr from looking for any on the net.
    """
    import rapidocr  # here, because only the workers that look at pictures need it

    models = Path(rapidocr.__file__).parent / "models"
    return rapidocr.RapidOCR(params={
        "Global.log_level": "error",
        "Global.use_cls": False,
        "Det.model_path": str(models / "PP-OCRv6_det_small.onnx"),
        "Det.limit_side_len": SIDE,
        "Det.box_thresh": FOUND,
        "Rec.model_path": str(models / "PP-OCRv6_rec_small.onnx"),
        "EngineConfig.onnxruntime.intra_op_num_threads": 1,
        "EngineConfig.onnxruntime.inter_op_num_threads": 1,
    })
