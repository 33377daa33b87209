"""Faces in the form that the detection benchmarks compare: a picture's are a list of {"box": [x1, y1, x2, y2], "points":
five [x, y]}, in whole pixels, truncated, with no corner left of or above the picture, as the `mtcnn` package gives them.
"""

import statistics

import numpy as np

POINTS = ("left_eye", "right_eye", "nose", "mouth_left", "mouth_right")


def from_package(found: list[dict]) -> list[dict]:
    """What `mtcnn.detect_faces` gives for one picture."""
    faces = []
    for face in found:
        x, y, width, height = map(int, face["box"])
        points = [[int(value) for value in face["keypoints"][point]] for point in POINTS]
        faces.append({"box": [x, y, x + width, y + height], "points": points})
    return faces


def from_ours(boxes: np.ndarray, landmarks: np.ndarray) -> list[dict]:
    """What `Detector.detect` gives for one picture: (k, 4) and (k, 5, 2)."""
    corners = boxes[:, :2].astype(int).clip(0)
    ends = corners + (boxes[:, 2:] - corners).astype(int)
    return [{"box": box.tolist(), "points": points.tolist()}
            for box, points in zip(np.hstack([corners, ends]), landmarks.astype(int), strict=True)]


def compare(ours: list[list[dict]], theirs: list[list[dict]], whose: str) -> None:
    """Prints how many of their faces are among ours, by picture, and how near they are."""
    overlaps, edges, points = [], [], []
    for mine, others in zip(ours, theirs, strict=True):
        for face in others if mine else ():
            nearest = max(mine, key=lambda each: iou(each["box"], face["box"]))
            if (overlap := iou(nearest["box"], face["box"])) > 0.5:
                overlaps.append(overlap)
                edges.append(np.abs(np.subtract(nearest["box"], face["box"])).max())
                points.append(np.abs(np.subtract(nearest["points"], face["points"])).max())
    print(f"of {sum(map(len, theirs)):,} faces of {whose} in {len(theirs):,} pictures we find {len(overlaps):,}, "
          f"of {sum(map(len, ours)):,} in all")
    if overlaps:
        print(f"  IoU: median {statistics.median(overlaps):.3f}, least {min(overlaps):.3f}; off, largest of four edges and "
              f"of five landmarks: median {np.median(edges):.0f} and {np.median(points):.0f} px, most {max(edges)} and "
              f"{max(points)} px; both within 1 px: {np.mean(np.maximum(edges, points) <= 1):.1%}")


def iou(one: list[int], other: list[int]) -> float:
    """Intersection over union of two boxes x1, y1, x2, y2."""
    shared = np.prod((np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2])).clip(0))
    return shared / (sum(np.prod(np.subtract(box[2:], box[:2])) for box in (one, other)) - shared)
