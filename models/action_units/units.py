"""The action units (FACS, Ekman, Friesen and Hager 2002) that networks here read and write, and a check of values."""

from typing import Any

import numpy as np

UNITS = (1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 20, 23, 25, 26, 45)  # those OpenFace measures; column = index


def checked(units: Any, count: int | None = None) -> np.ndarray:
    """(N, 17) intensities in [0, 1], OpenFace's 0 to 5 divided by 5, as float32.

    Raises ValueError for another shape, for other than `count` rows, and naming the first row and unit outside [0, 1].
    """
    values = np.asarray(units, np.float32)
    if values.ndim != 2 or values.shape[1] != len(UNITS):
        raise ValueError(f"action units are {values.shape}, expected (N, {len(UNITS)}): one column for each of {UNITS}")
    if count is not None and len(values) != count:
        raise ValueError(f"{len(values)} rows of action units for {count} pictures, expected one a picture")
    outside = np.argwhere(~((values >= 0) & (values <= 1)))  # not a number is outside too
    if len(outside):
        row, column = outside[0]
        raise ValueError(
            f"action unit {UNITS[column]} of row {row} is {values[row, column]}, expected an intensity in [0, 1]; "
            "OpenFace's reach to 5 and are divided by 5, and a null is no intensity"
        )
    return values
