"""Values that stand in the wrong row, found against the same figure from another source."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]

FAR = 0.01
"""Two sources of one number, such as a population at the end of a year, agree within this part of
it unless one of them is wrong."""


@dataclass(frozen=True, eq=False)
class Misplaced:
    """`rows` whose value is not their own, ascending, and `owners`: the row whose value each one
    holds, -1 where nobody's is."""

    rows: Ints
    owners: Ints

    @property
    def swapped(self) -> bool:
        """Whether the rows hold each other's values, so that all can be put back."""
        return bool(len(self.rows)) and np.array_equal(np.sort(self.owners), self.rows)

    def put_back(self, column: Floats) -> Floats:
        """A column (n,) that went astray with the values, each one in the row that it is of; NaN
        in rows of which nobody holds the value."""
        back = np.array(column, dtype=np.float64)
        back[self.rows] = np.nan
        found = self.owners >= 0
        back[self.owners[found]] = column[self.rows[found]]
        return back


def misplaced(claimed: Floats, known: Floats) -> Misplaced:
    """Which values of `claimed` (n,) are far from `known` (n,), and whose they are.

    A value is far if it differs by more than `FAR` of the known one. It is another row's if it is
    the known value of just one row that is wrong itself. Rows where either is NaN are passed over.

    >>> found = misplaced(np.array([5.0, 1.0, 3.0]), np.array([1.0, 5.0, 3.0]))
    >>> found.rows, found.owners, found.swapped
    (array([0, 1]), array([1, 0]), True)
    >>> found.put_back(np.array([50.0, 10.0, 30.0]))
    array([10., 50., 30.])
    """
    both = np.isfinite(claimed) & np.isfinite(known)
    far = np.zeros(len(known), dtype=bool)
    far[both] = np.abs(claimed[both] - known[both]) > FAR * np.abs(known[both])
    rows = np.flatnonzero(far)
    same = claimed[rows][:, None] == known[rows][None, :]  # wrong rows x wrong rows
    owners = np.where(same.sum(axis=1) == 1, rows[same.argmax(axis=1)] if len(rows) else -1, -1)
    # Two rows with one owner: nobody can say which of them holds its values.
    taken = (owners[:, None] == owners[None, :]).sum(axis=1) > 1
    return Misplaced(rows, np.where(taken, -1, owners))
