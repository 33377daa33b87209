"""MTCNN: faces and five landmarks in pictures (Zhang et al. 2016), the released weights in JAX.

    faces, = Detector(min_face=20).detect(pictures[:1])     # (1, H, W, 3) uint8 RGB
    faces.boxes, faces.scores, faces.landmarks
"""

from models.mtcnn.cascade import Detections, Detector

__all__ = ["Detections", "Detector"]
