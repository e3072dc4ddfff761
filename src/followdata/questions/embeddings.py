"""Maps of a table's rows by methods that keep neighbours rather than variance."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from types import ModuleType

import numpy as np

from followdata.core.embedding import Floats, distances, scaled
from followdata.errors import NotInstalled

Method = Callable[[Floats, Floats], Floats]
"""`method(Z, start)`: a place (n x 2) for each row of the complete table `Z` (n x p)."""

EXTRA = "followdata[maps]"
_NEIGHBOURS = 15
_PERPLEXITY = 30.0


def by_scaling(Z: Floats, start: Floats) -> Floats:
    """Metric multidimensional scaling: all distances kept as well as two directions can."""
    return scaled(distances(Z), start)[0]


def by_tsne(Z: Floats, start: Floats) -> Floats:
    """t-SNE (van der Maaten & Hinton 2008), as openTSNE has it."""
    opentsne = _installed("openTSNE")
    perplexity = min(_PERPLEXITY, (len(Z) - 1) / 3)
    spread = np.where(start.std(0) > 0, start.std(0), 1.0)
    learner = opentsne.TSNE(
        perplexity=perplexity,
        # A small start, so that neighbours can still come past each other (Kobak & Berens 2019).
        initialization=1e-4 * start / spread[0],
        neighbors="exact",
        negative_gradient_method="bh",
        random_state=0,
        n_jobs=1,
    )
    return np.asarray(learner.fit(Z), dtype=np.float64)


def by_umap(Z: Floats, start: Floats) -> Floats:
    """UMAP (McInnes, Healy & Melville 2018), as umap-learn has it."""
    umap = _installed("umap")
    spread = np.where(start.std(0) > 0, start.std(0), 1.0)
    learner = umap.UMAP(
        n_neighbors=min(_NEIGHBOURS, len(Z) - 1),
        init=10 * start / spread[0],
        random_state=0,
        n_jobs=1,
    )
    return np.asarray(learner.fit_transform(Z), dtype=np.float64)


METHODS: Mapping[str, Method] = {"mds": by_scaling, "tsne": by_tsne, "umap": by_umap}


def _installed(name: str) -> ModuleType:
    import importlib

    try:
        # Their own dependencies warn of what only their makers can change.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return importlib.import_module(name)
    except ImportError as error:
        raise NotInstalled(f"The package {name}", EXTRA) from error
