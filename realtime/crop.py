"""provisional"""
import cv2
import numpy as np


def face_crop(frame, box, landmarks, size, channels, margin, align):
    centre = (box[:2] + box[2:]) / 2
    side = max(box[2:] - box[:2]) * (1 + margin)
    dx, dy = landmarks[1] - landmarks[0] if align else (1.0, 0.0)
    angle = np.degrees(np.arctan2(dy, dx))
    m = cv2.getRotationMatrix2D((float(centre[0]), float(centre[1])), float(angle), float(size / side))
    m[:, 2] += size / 2 - centre
    out = cv2.warpAffine(frame, m, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return cv2.cvtColor(out, cv2.COLOR_BGR2GRAY)[..., None] if channels == 1 else out[..., ::-1]
