"""The webcam demo as people run it today: Haar cascade and Keras `predict` a face, on every frame of a film.

After face_classification's video_emotion_color_demo (Arriaga et al. 2017). Needs tensorflow, tf_keras and
opencv-python<5, which this project does not have: `benchmarks/runner.py` runs it in an environment of its own and reads
the JSON that it prints.
"""

import argparse
import json
import os
import time

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import cv2
import numpy as np
import tensorflow
import tf_keras

LABELS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
OFFSETS = (20, 40)  # pixels added to the box on either side, x and y


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("film")
    parser.add_argument("weights", help="fer2013_mini_XCEPTION.102-0.66.hdf5")
    parser.add_argument("frames", type=int)
    parser.add_argument("threads", type=int)
    options = parser.parse_args()
    cv2.setNumThreads(options.threads)
    tensorflow.config.threading.set_intra_op_parallelism_threads(options.threads)
    tensorflow.config.threading.set_inter_op_parallelism_threads(1)
    detector = cv2.CascadeClassifier(cv2.data.haarcascades + "haarcascade_frontalface_default.xml")
    network = tf_keras.models.load_model(options.weights, compile=False)
    network.predict(np.zeros((1, 64, 64, 1), np.float32), verbose=0)  # the first call compiles

    capture, milliseconds, faces, with_face = cv2.VideoCapture(options.film), [], 0, 0
    while len(milliseconds) < options.frames:
        read, frame = capture.read()
        if not read:
            if not milliseconds:
                raise SystemExit(f"{options.film}: no frame can be read from it")
            capture.open(options.film)
            continue
        began = time.perf_counter()
        found = annotate(frame, detector, network)
        milliseconds.append((time.perf_counter() - began) * 1e3)
        faces += found
        with_face += found > 0
    p50, p95 = (round(float(np.percentile(milliseconds, share)), 2) for share in (50, 95))
    figures = {"frames": len(milliseconds), "faces_per_frame": round(faces / len(milliseconds), 2)}
    print(json.dumps(figures | {"frames_with_face": with_face, "frame_ms_p50": p50, "frame_ms_p95": p95}))


def annotate(frame: np.ndarray, detector: cv2.CascadeClassifier, network: tf_keras.Model) -> int:
    """Draws box and label of each face; returns their number. As there, a crop with a negative corner is skipped."""
    grey = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
    boxes = detector.detectMultiScale(grey, scaleFactor=1.3, minNeighbors=5)
    for x, y, width, height in boxes:
        crop = grey[y - OFFSETS[1] : y + height + OFFSETS[1], x - OFFSETS[0] : x + width + OFFSETS[0]]
        if not crop.size:
            continue
        crop = cv2.resize(crop, (64, 64)).astype(np.float32) / 255
        probabilities = network.predict((crop[None, :, :, None] - 0.5) * 2, verbose=0)[0]
        cv2.rectangle(frame, (x, y), (x + width, y + height), (0, 255, 0), 2)
        label = LABELS[int(probabilities.argmax())]
        cv2.putText(frame, label, (x, y - 45), cv2.FONT_HERSHEY_SIMPLEX, 1, (0, 255, 0), 1, cv2.LINE_AA)
    return len(boxes)


if __name__ == "__main__":
    main()
