"""Threads for work that is done in pieces side by side."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from typing import Any


@contextmanager
def workers() -> Iterator[Executor]:
    """As many threads as the machine has processors; within each linear algebra keeps to one,
    since theirs and ours would only wait for each other."""
    with one_thread(), ThreadPoolExecutor(os.cpu_count() or 1) as executor:
        yield executor


def one_thread() -> AbstractContextManager[Any]:
    """Within it linear algebra keeps to one thread: its matrices are small, and waking others
    takes longer than they save."""
    from threadpoolctl import threadpool_limits

    limits: AbstractContextManager[Any] = threadpool_limits(1, "blas")
    return limits
