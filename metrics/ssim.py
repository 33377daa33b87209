"""Structural similarity of two pictures, SSIM (Wang, Bovik, Sheikh and Simoncelli 2004, "Image Quality Assessment: From
Error Visibility to Structural Similarity", equation 13, with the Gaussian window and the constants of section III.C).
"""

import numpy as np
from scipy.ndimage import gaussian_filter

SIGMA, RADIUS = 1.5, 5  # of the 11×11 window
C1, C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2


def ssim(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """(N,) mean SSIM of grey pictures (N, H, W, 1) uint8, sides of at least 11, over places where the window fits in."""
    if first.shape != second.shape or first.ndim != 4 or first.shape[3] != 1:
        raise ValueError(f"pictures are {first.shape} and {second.shape}, expected grey ones (N, H, W, 1) twice")
    if min(first.shape[1:3]) <= 2 * RADIUS:
        raise ValueError(f"pictures are {first.shape[1:3]}, the window needs {2 * RADIUS + 1} pixels a side")
    x, y = (each[..., 0].astype(np.float64) for each in (first, second))
    mean_x, mean_y = _windowed(x), _windowed(y)
    var_x, var_y = _windowed(x * x) - mean_x**2, _windowed(y * y) - mean_y**2
    both = _windowed(x * y) - mean_x * mean_y
    places = (2 * mean_x * mean_y + C1) * (2 * both + C2) / ((mean_x**2 + mean_y**2 + C1) * (var_x + var_y + C2))
    return places[:, RADIUS:-RADIUS, RADIUS:-RADIUS].mean(axis=(1, 2))


def _windowed(pictures: np.ndarray) -> np.ndarray:
    return gaussian_filter(pictures, SIGMA, radius=RADIUS, axes=(1, 2))
