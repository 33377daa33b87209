"""Starts the program, or says what it needs. In `emoji_cam.pyz` this same file also lies at the top."""

import sys

try:
    from realtime.program import main
except ModuleNotFoundError as missing:
    sys.exit(
        f"emoji_cam: {missing.name} is not installed. "
        f"Try: {sys.executable} -m pip install numpy opencv-python onnxruntime"
    )

if __name__ == "__main__":
    sys.exit(main())
