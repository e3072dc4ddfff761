"""Events counted by place and year, and the persons that they happened among."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Counts:
    """Numbers of events of `n` places in some years.

    `y` (n x years) holds whole numbers, 0 or more; `exposure` (n x years) the persons in each
    place, more than 0; both are NaN where a place did not exist or was not counted. `years`
    (years,) ascend. `places` (n x 2) are kilometres east and north in a plane, or `None` where
    nobody knows.

    Raises `ValueError` where they are not so, or where a place was never counted.

    >>> counts = Counts(np.array([[1.0, 0], [2, np.nan]]), np.array([[9.0, 9], [8, np.nan]]),
    ...                 np.array([1998, 1999]))
    >>> counts.totals, counts.person_years
    (array([1., 2.]), array([18.,  8.]))
    """

    y: Floats
    exposure: Floats
    years: npt.NDArray[np.int64]
    places: Floats | None = None

    def __post_init__(self) -> None:
        n = len(self.y)
        if self.y.shape != (n, len(self.years)) or self.exposure.shape != self.y.shape:
            raise ValueError("y and exposure must be places x years")
        if np.any(np.diff(self.years) <= 0):
            raise ValueError("years must ascend without repeats")
        counted = np.isfinite(self.y)
        if not np.array_equal(counted, np.isfinite(self.exposure)):
            raise ValueError("y and exposure must be missing together")
        if not counted.any(1).all():
            raise ValueError("each place must have been counted once")
        y = self.y[counted]
        if np.any(y < 0) or np.any(y != np.round(y)):
            raise ValueError("y must be whole numbers of 0 or more")
        if np.any(self.exposure[counted] <= 0):
            raise ValueError("exposure must be more than 0")
        if self.places is not None and (
            self.places.shape != (n, 2) or not np.isfinite(self.places).all()
        ):
            raise ValueError("places must be n x 2 and known")

    @property
    def counted(self) -> Bools:
        """Where a place was counted in a year, n x years."""
        return np.isfinite(self.y)

    @property
    def totals(self) -> Floats:
        """Events of each place in all years."""
        return np.asarray(np.nansum(self.y, axis=1))

    @property
    def person_years(self) -> Floats:
        """Persons of each place summed over its years."""
        return np.asarray(np.nansum(self.exposure, axis=1))

    @property
    def yearly(self) -> Floats:
        """Events per person of all places together, by year; NaN where none was counted."""
        persons = np.nansum(self.exposure, axis=0)
        rates = np.full(len(self.years), np.nan)
        np.divide(np.nansum(self.y, axis=0), persons, out=rates, where=persons > 0)
        return rates

    @property
    def expected(self) -> Floats:
        """Events each place would have had at everybody's rate of each year, n x years; NaN where
        it was not counted. They sum to the events there were, year by year."""
        return self.exposure * self.yearly

    def of(self, rows: npt.NDArray[np.intp] | Bools) -> Counts:
        """The same of some places only."""
        places = None if self.places is None else self.places[rows]
        return Counts(self.y[rows], self.exposure[rows], self.years, places)
