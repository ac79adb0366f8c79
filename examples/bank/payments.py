"""A month of card payments at four banks, made by a seed: every bank has customers and frauds of its own kinds.

Real payments cannot be published, so these are drawn: who pays how much, when, where and for what, and how often a day.
The rules stand in this file. The same seed draws the same payments everywhere. In a real federation this module is what
each bank replaces by reading its own ledger.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fedka.masking import CardMask

Floats = npt.NDArray[np.float64]
Random = np.random.Generator

DAYS = 30
PAYMENTS_PER_CARD = 40.0
CATEGORIES = ("groceries", "fuel", "restaurants", "clothing", "electronics", "travel", "digital", "cash")
GROCERIES, FUEL, RESTAURANTS, CLOTHING, ELECTRONICS, TRAVEL, DIGITAL, CASH = range(len(CATEGORIES))
USUAL_AMOUNT = np.array([35.0, 50.0, 30.0, 60.0, 120.0, 180.0, 8.0, 80.0])  # the median of what is paid, by category
ONLINE = np.array([0.05, 0.0, 0.1, 0.5, 0.5, 0.6, 0.97, 0.0])  # the share of payments that are made online
SPREAD = 0.7  # of the logarithm of amounts
NEARBY_KM, COUNTRY_KM, WORLD_KM = 6.0, 60.0, 2500.0


@dataclass(frozen=True)
class Bank:
    """How many cards, what is paid for (weights by category), who travels, when, and which frauds on how many cards."""

    cards: int
    issuer: str
    group: int | None  # card numbers are written in groups of that many digits; None: in one piece
    mix: tuple[float, ...]
    travellers: float
    evening: float
    defrauded: float
    frauds: tuple[str, ...]


BANKS = {
    "metro": Bank(260, "999001", 4, (5, 1, 6, 3, 1.5, 1, 3, 2), 0.15, 0.6, 0.08, ("pickpocket",)),
    "savings": Bank(220, "999002", None, (8, 4, 2, 2, 1, 0.5, 0.5, 4), 0.05, 0.1, 0.1, ("skimming",)),
    "direct": Bank(300, "999003", 4, (4, 1, 3, 4, 3, 1, 8, 0.5), 0.1, 0.7, 0.06, ("testing",)),
    "private": Bank(140, "999004", None, (3, 2, 6, 4, 3, 6, 1, 2), 0.5, 0.4, 0.12, ("takeover",)),
}
FRAUDS = ("pickpocket", "skimming", "testing", "takeover")
TEST_CARDS = 200  # of each bank, whose payments nobody trains on
TEST_DEFRAUDED = 0.08


class Payments(NamedTuple):
    """Payments, one array a column. `card` is what their cards are known by: a place in a list, a number, or a token.

    `hours` are counted from the month's first midnight; `east` and `north` are km; `category` counts CATEGORIES.
    """

    card: npt.NDArray[np.intp] | list[str]
    hours: Floats
    amount: Floats
    category: npt.NDArray[np.intp]
    online: npt.NDArray[np.bool_]
    east: Floats
    north: Floats
    fraud: npt.NDArray[np.bool_]


def ledger(bank: str, seed: int, mask: CardMask, *, test: bool = False) -> Payments:
    """A bank's payments in the order of time, with tokens in place of card numbers: nothing else ever sees a number."""
    paid = card_system(bank, seed, test=test)
    return paid._replace(card=mask.tokens(paid.card))


def card_system(name: str, seed: int, *, test: bool = False) -> Payments:
    """What the bank's own system holds: the payments with the numbers of their cards.

    `test`: those of other customers of the bank, on whom every kind of fraud is tried.
    """
    bank = BANKS[name]
    random = np.random.default_rng([seed, list(BANKS).index(name), test])
    cards = TEST_CARDS if test else bank.cards
    kinds, share = (FRAUDS, TEST_DEFRAUDED) if test else (bank.frauds, bank.defrauded)
    homes = COUNTRY_KM * random.standard_normal((cards, 2))
    honest = _honest(random, bank, homes)
    frauds = _frauds(random, kinds, homes[: round(share * cards)])
    drawn = Payments(*map(np.concatenate, zip(honest, *frauds, strict=True)))
    paid = Payments(*(column[np.argsort(drawn.hours, kind="stable")] for column in drawn))
    numbers = [_number(random, bank) for _ in range(cards)]
    return paid._replace(card=[numbers[card] for card in paid.card])


def _honest(random: Random, bank: Bank, homes: Floats) -> Payments:
    """What customers pay themselves: each has favourites, a purse, and perhaps a journey."""
    cards = len(homes)
    card = np.repeat(np.arange(cards), 1 + random.poisson(PAYMENTS_PER_CARD, cards))
    count = len(card)
    favourites = np.cumsum(random.dirichlet(bank.mix, cards), axis=1)
    category = (random.random((count, 1)) > favourites[card][:, :-1]).sum(axis=1)
    evening = random.random(count) < bank.evening
    hour = np.where(evening, random.normal(20, 2, count), random.normal(13, 3.5, count)) % 24
    day = random.integers(0, DAYS, count)
    purse = np.exp(0.4 * random.standard_normal(cards))
    amount = USUAL_AMOUNT[category] * purse[card] * np.exp(SPREAD * random.standard_normal(count))
    online = random.random(count) < ONLINE[category]
    place = homes[card] + NEARBY_KM * random.standard_normal((count, 2))
    left = random.integers(0, DAYS - 5, cards)
    away = (random.random(cards) < bank.travellers)[card] & (left[card] <= day) & (day < left[card] + 5)
    place += away[:, None] * (WORLD_KM * random.standard_normal((cards, 2)))[card]
    return _rounded(Payments(card, 24 * day + hour, amount, category, online, *place.T, np.zeros(count, bool)))


def _frauds(random: Random, kinds: Sequence[str], homes: Floats) -> list[Payments]:
    """One fraud on each of these cards, all kinds equally often."""
    return [FRAUD_OF[kinds[card % len(kinds)]](random, card, home) for card, home in enumerate(homes)]


def _pickpocket(random: Random, card: int, home: Floats) -> Payments:
    """Stolen in town: some expensive things in the shops around, as long as it works."""
    count = random.integers(3, 6)
    category = random.choice([ELECTRONICS, CLOTHING], count)
    amount = USUAL_AMOUNT[category] * random.uniform(1.5, 4, count)
    return _spree(random, card, home + 10 * random.standard_normal(2), category, amount, hour=(11, 19), minutes=25)


def _skimming(random: Random, card: int, home: Floats) -> Payments:
    """A copy of the card draws cash in another country, at night, in round amounts."""
    count = random.integers(2, 5)
    amount = random.choice([150.0, 200.0, 250.0, 300.0], count)
    place = home + WORLD_KM * random.standard_normal(2)
    return _spree(random, card, place, np.full(count, CASH), amount, hour=(0, 5), minutes=15)


def _testing(random: Random, card: int, home: Floats) -> Payments:
    """A stolen list of numbers is tried out: tiny purchases online, minutes apart."""
    count = random.integers(4, 8)
    amount = random.uniform(0.5, 3, count)
    return _spree(random, card, home, np.full(count, DIGITAL), amount, hour=(0, 24), minutes=3, online=True)


def _takeover(random: Random, card: int, home: Floats) -> Payments:
    """Somebody else has the password: few, very large purchases online, from somewhere in the country."""
    count = random.integers(2, 4)
    category = random.choice([ELECTRONICS, TRAVEL], count)
    amount = USUAL_AMOUNT[category] * random.uniform(4, 9, count)
    place = home + COUNTRY_KM * random.standard_normal(2)
    return _spree(random, card, place, category, amount, hour=(20, 30), minutes=240, online=True)


FRAUD_OF: dict[str, Callable[[Random, int, Floats], Payments]] = {
    "pickpocket": _pickpocket,
    "skimming": _skimming,
    "testing": _testing,
    "takeover": _takeover,
}


def _spree(
    random: Random,
    card: int,
    place: Floats,
    category: npt.NDArray[np.intp],
    amount: Floats,
    *,
    hour: tuple[float, float],
    minutes: float,
    online: bool = False,
) -> Payments:
    """Fraudulent payments on one day, some minutes apart on average."""
    count = len(category)
    begin = 24 * random.integers(3, DAYS - 1) + random.uniform(*hour)
    hours = begin + np.cumsum(random.exponential(minutes / 60, count))
    places = place + random.standard_normal((count, 2))
    card = np.full(count, card)
    return _rounded(Payments(card, hours, amount, category, np.full(count, online), *places.T, np.ones(count, bool)))


def _rounded(drawn: Payments) -> Payments:
    """To seconds and cents, as ledgers have it."""
    return drawn._replace(hours=np.round(drawn.hours * 3600) / 3600, amount=np.round(drawn.amount, 2))


def _number(random: Random, bank: Bank) -> str:
    """A card number. No payment network has numbers that begin with 9, so it is nobody's."""
    digits = bank.issuer + "".join(map(str, random.integers(0, 10, 9)))
    doubled = sum(sum(divmod(int(digit) * (1 + (place % 2 == 0)), 10)) for place, digit in enumerate(digits))
    digits += str(-doubled % 10)
    if bank.group is None:
        return digits
    return " ".join(digits[first : first + bank.group] for first in range(0, len(digits), bank.group))
