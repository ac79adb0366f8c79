"""FedAvg: the global model moves by the weighted mean of the participants' updates.

McMahan et al., "Communication-Efficient Learning of Deep Networks from Decentralized Data", arXiv:1602.05629.
Updates are differences to the base model, so the new model is base + mean; with weights n_k / n this is the paper's
sum of n_k / n * w_k.
"""

import numpy as np
import numpy.typing as npt


def step(base: npt.NDArray[np.float32], mean: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    """The new model's coordinates, shape (n,): float32(float64(base) + mean), one rounding."""
    return np.add(base, mean, dtype=np.float64).astype(np.float32)
