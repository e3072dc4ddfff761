"""A whole row from a few markers, all its values at once: a multi-task network.

One network tells all the others from the markers, so that what its hidden layer learns serves all
of them, as in D-GEX (Chen et al. 2016, https://doi.org/10.1093/bioinformatics/btw074). Several
networks that begin at random differ; the mean of a few is told.
"""

from __future__ import annotations

import numpy as np

from followdata.core.inference import Floats, Learn, Predict
from followdata.core.networks.network import Network
from followdata.core.networks.training import Course, train

NETWORK = "multi-task network"


def multitask(
    *,
    hidden: tuple[int, ...] = (200,),
    course: Course | None = None,
    networks: int = 1,
    seed: int = 0,
) -> Learn:
    """The method, for `followdata.core.inference.held_out`; it needs PyTorch.

    `hidden` are the sizes of the hidden layers (tanh), `networks` how many are averaged.
    """
    course = course or Course(cycles=120, rate=0.002, batch=16, dropout=0.5, decay=0.3)

    def learn(markers: Floats, others: Floats) -> Predict:
        sizes = [markers.shape[1], *hidden, others.shape[1]]
        activations = ["tanh"] * len(hidden) + ["linear"]
        learnt = [
            train(
                Network.begun(sizes, activations, np.random.default_rng(seed + number)),
                markers,
                others,
                course,
                seed=seed + number,
            )
            for number in range(networks)
        ]
        return lambda new: np.asarray(np.mean([each.outputs(new) for each in learnt], axis=0))

    return learn
