"""What a model gets to know of a payment: itself, and how it fits to what the card did before.

Everything is computed from payments before this one, as it would be when the payment is to be allowed or not. Cards are
told apart by their tokens, whose letters do not matter: under another key the numbers are the same to the last bit.
Networks need inputs of about the same size, so they are scaled by round figures that the banks agree on beforehand.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from payments import CATEGORIES, Floats, Payments

INPUTS = 12 + len(CATEGORIES)
HOUR, DAY = 1.0, 24.0
UNKNOWN_HOURS = 24.0 * 7  # since the payment before, where there was none


@dataclass(frozen=True)
class Examples:
    """Inputs, shape (n, INPUTS), and whether each was fraud, shape (n,), 1 = fraud."""

    x: npt.NDArray[np.float32]
    y: npt.NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.y)


def examples(paid: Payments) -> tuple[Examples, npt.NDArray[np.intp]]:
    """The payments as a model sees them, and each one's card as a number: 0 for the card that paid first, and so on."""
    card = _in_order_of_appearance(paid.card)
    order = np.lexsort((paid.hours, card))
    inputs = np.empty((len(paid.hours), INPUTS))
    inputs[order] = _inputs(paid, card, order)
    return Examples(x=inputs.astype(np.float32), y=paid.fraud.astype(np.float32)), card


def _in_order_of_appearance(tokens: Iterable[str]) -> npt.NDArray[np.intp]:
    number: dict[str, int] = {}
    return np.array([number.setdefault(token, len(number)) for token in tokens])


def _inputs(paid: Payments, card: npt.NDArray[np.intp], order: npt.NDArray[np.intp]) -> Floats:
    """Rows in `order`: by card, and by time within a card."""
    card, hours, category = card[order], paid.hours[order], paid.category[order]
    amount = np.log(paid.amount[order] + 1)
    place = np.stack([paid.east[order], paid.north[order]], axis=1)
    first = np.searchsorted(card, card)  # the row of the card's first payment
    row = np.arange(len(card))
    before = row - first
    new = before == 0
    one_hot = np.eye(len(CATEGORIES))[category]
    usual = _mean_before(amount, first, before, otherwise=3.5)
    centre = _mean_before(place, first, before, otherwise=place)
    since = np.where(new, UNKNOWN_HOURS, hours - hours[row - 1])
    moved = np.where(new, 0.0, np.hypot(*(place - place[row - 1]).T))
    familiar = _mean_before(one_hot, first, before, otherwise=np.full(one_hot.shape, 1 / len(CATEGORIES)))
    clock = 2 * np.pi * hours / DAY
    columns = [
        (amount - 3.5) / 1.5,
        (amount - usual) / 1.5,
        np.sin(clock),
        np.cos(clock),
        2 * paid.online[order] - 1.0,
        np.log1p(np.hypot(*(place - centre).T)) / 2 - 2,
        np.log1p(moved) / 2 - 1,
        np.log(since + 0.01) / 2 - 1,
        np.log1p(_within(card, hours, HOUR)),
        np.log1p(_within(card, hours, DAY)) - 1,
        2 * familiar[row, category] - 0.5,
        np.log1p(before) / 2 - 1,
    ]
    return np.column_stack([*columns, one_hot])


def _mean_before(
    values: Floats, first: npt.NDArray[np.intp], before: npt.NDArray[np.intp], *, otherwise: Floats | float
) -> Floats:
    """The mean over the card's earlier payments; `otherwise` where there is none."""
    total = np.concatenate([np.zeros_like(values[:1]), np.cumsum(values, axis=0)])
    shape = (-1, *[1] * (values.ndim - 1))
    mean = (total[first + before] - total[first]) / np.maximum(before, 1).reshape(shape)
    return np.where((before > 0).reshape(shape), mean, otherwise)


def _within(card: npt.NDArray[np.intp], hours: Floats, span: float) -> npt.NDArray[np.intp]:
    """How many payments the card made in the `span` hours before each."""
    apart = hours + card * (hours.max() + 2 * span)  # one time line, the cards one after the other
    return np.arange(len(card)) - np.searchsorted(apart, apart - span)
