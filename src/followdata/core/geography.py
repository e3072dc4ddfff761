"""Places on the globe as points in a plane."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
RADIUS = 6371.0
"""Kilometres from the middle of the earth to its surface, on the mean."""


def planar(latitude: Floats, longitude: Floats) -> Floats:
    """Points (n x 2), kilometres east and north of their middle, from degrees.

    The azimuthal equidistant projection (Snyder 1987, Map Projections: A Working Manual, p. 195)
    around the mean of the points: distances within a thousand kilometres of it are right to half
    a percent.

    >>> planar(np.array([59.0, 60.0]), np.array([18.0, 18.0])).round(1).tolist()
    [[0.0, -55.6], [0.0, 55.6]]
    """
    phi, lam = np.radians(latitude), np.radians(longitude)
    middle, away = phi.mean(), lam - lam.mean()
    cosine = np.sin(middle) * np.sin(phi) + np.cos(middle) * np.cos(phi) * np.cos(away)
    angle = np.arccos(np.clip(cosine, -1, 1))
    stretch = np.where(angle > 0, angle / np.where(angle > 0, np.sin(angle), 1), 1.0)
    east = stretch * np.cos(phi) * np.sin(away)
    north = stretch * (np.cos(middle) * np.sin(phi) - np.sin(middle) * np.cos(phi) * np.cos(away))
    return RADIUS * np.column_stack([east, north])
