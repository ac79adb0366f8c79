"""The bank example without Kafka: its payments, what is made of them, its verdict, its picture; see test_demos.py."""

import numpy as np
import pytest
import yaml
from sklearn.metrics import average_precision_score, roc_auc_score

from fedka.api.loading import load_object
from fedka.masking import CardMask, is_card_number
from fedka.participant.entrypoint import load_app

from .loading import EXAMPLES, importable

EXAMPLE = EXAMPLES / "bank"
SPEC = yaml.safe_load((EXAMPLE / "training.yaml").read_text())["spec"]
NAMES = [participant["name"] for participant in SPEC["participants"]]
CONFIG = SPEC["app"]["config"]
MASK = CardMask(bytes(range(32)))


@pytest.fixture(scope="module")
def app():
    with importable(EXAMPLE):
        yield load_app(SPEC["app"]["entrypoint"], EXAMPLE)


@pytest.fixture(scope="module")
def payments(app):
    import payments  # noqa: PLC0415 found once the app is loaded

    return payments


@pytest.fixture(scope="module")
def history(app):
    import history  # noqa: PLC0415

    return history


@pytest.fixture(scope="module")
def bank(app):
    import bank  # noqa: PLC0415

    return bank


def test_the_training_is_valid():
    assert len(load_object(EXAMPLE / "training.yaml")["spec"]["participants"]) == 4


def test_the_training_names_the_banks_that_there_are(payments):
    assert list(payments.BANKS) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_every_card_has_a_card_number_and_less_than_one_payment_in_a_hundred_is_fraud(payments, name):
    paid = payments.card_system(name, 0)
    assert all(map(is_card_number, set(paid.card)))
    assert 0.004 < paid.fraud.mean() < 0.01


def test_payments_are_in_the_order_of_their_time(payments):
    hours = payments.card_system("metro", 0).hours
    assert (np.diff(hours) >= 0).all()
    assert 0 <= hours.min() < hours.max() < 24 * (payments.DAYS + 2)


def test_the_same_seed_draws_the_same_payments_and_another_draws_others(payments):
    first, again, other = (payments.card_system("direct", seed) for seed in (5, 5, 6))
    assert first.card == again.card
    assert all(np.array_equal(*columns) for columns in zip(first[1:], again[1:], strict=True))
    assert not np.array_equal(first.amount[:100], other.amount[:100])


def test_no_card_is_at_two_banks_nor_among_those_that_judge(payments):
    groups = [set(payments.card_system(name, 0, test=test).card) for name in NAMES for test in (False, True)]
    assert len(set.union(*groups)) == sum(map(len, groups))


def test_each_bank_has_had_a_kind_of_fraud_of_its_own_and_the_common_test_has_all(payments):
    seen = [bank.frauds for bank in payments.BANKS.values()]
    assert sorted(kind for kinds in seen for kind in kinds) == sorted(payments.FRAUDS)
    assert len(seen) == len(payments.FRAUDS)
    for name in NAMES:
        paid = payments.card_system(name, 0, test=True)
        fraud = paid.fraud
        kinds = [
            ~paid.online & np.isin(paid.category, [payments.ELECTRONICS, payments.CLOTHING]),
            ~paid.online & (paid.category == payments.CASH),
            paid.online & (paid.category == payments.DIGITAL),
            paid.online & np.isin(paid.category, [payments.ELECTRONICS, payments.TRAVEL]),
        ]
        assert all((fraud & kind).any() for kind in kinds)
        assert not (fraud & ~np.logical_or.reduce(kinds)).any()


def test_the_ledger_has_tokens_where_the_card_system_has_numbers(payments):
    raw, masked = payments.card_system("private", 0), payments.ledger("private", 0, MASK)
    assert masked.card == MASK.tokens(raw.card)
    assert len(set(masked.card)) == len(set(raw.card)) == payments.BANKS["private"].cards


def test_under_another_key_the_inputs_are_the_same_to_the_last_bit(payments, history):
    one, other = (
        history.examples(payments.ledger("savings", 0, CardMask(key * 4))) for key in (b"4wFk9s2L", b"Zq71mXc0")
    )
    assert np.array_equal(one[0].x, other[0].x)
    assert np.array_equal(one[1], other[1])


def test_the_history_is_what_a_loop_over_each_cards_payments_finds(payments, history):
    paid = payments.ledger("private", 0, MASK)
    found, _ = history.examples(paid)
    for token in sorted(set(paid.card))[:5]:
        rows = [row for row, card in enumerate(paid.card) if card == token]
        for place, row in enumerate(rows):
            earlier = rows[:place]
            hours = [paid.hours[row] - paid.hours[each] for each in earlier]
            amounts = np.log(paid.amount[earlier] + 1)
            usual = amounts.mean() if earlier else 3.5
            away = np.hypot(
                paid.east[row] - (paid.east[earlier].mean() if earlier else paid.east[row]),
                paid.north[row] - (paid.north[earlier].mean() if earlier else paid.north[row]),
            )
            same = np.mean(paid.category[earlier] == paid.category[row]) if earlier else 1 / 8
            expected = [
                (np.log(paid.amount[row] + 1) - usual) / 1.5,
                np.log1p(away) / 2 - 2,
                np.log((hours[-1] if earlier else 168) + 0.01) / 2 - 1,
                np.log1p(sum(hour <= 1 for hour in hours)),
                np.log1p(sum(hour <= 24 for hour in hours)) - 1,
                2 * same - 0.5,
                np.log1p(place) / 2 - 1,
            ]
            assert found.x[row][[1, 5, 7, 8, 9, 10, 11]] == pytest.approx(expected, abs=1e-4)


def test_inputs_are_of_about_the_same_size(payments, history):
    found, _ = history.examples(payments.ledger("metro", 0, MASK))
    assert np.isfinite(found.x).all()
    assert np.abs(found.x).max() < 8


@pytest.mark.parametrize("name", NAMES)
def test_each_bank_keeps_cards_of_both_kinds_apart(bank, name):
    month = bank.month(name, 0, MASK.key)
    assert month.train.y.sum() > month.held_out.y.sum() > 0
    assert 0.15 < len(month.held_out) / (len(month.held_out) + len(month.train)) < 0.25


@pytest.mark.parametrize("levels", [None, 7, 1])
def test_the_verdict_is_scikit_learns(bank, levels):
    random = np.random.default_rng(3)
    fraud = (random.random(500) < 0.1).astype(np.float32)
    suspicion = fraud + 2 * random.standard_normal(500)
    if levels is not None:
        suspicion = np.round(suspicion / 20 * levels)  # many are equal
    found = bank.verdict(suspicion, fraud)
    assert found.average_precision == pytest.approx(average_precision_score(fraud, suspicion))
    assert found.roc_auc == pytest.approx(roc_auc_score(fraud, suspicion))


@pytest.mark.slow
@pytest.mark.parametrize("runs", [1, 3])
def test_the_picture_is_small_and_the_same_for_the_same_table(bank, tmp_path, runs):
    import comparison  # noqa: PLC0415
    import plot  # noqa: PLC0415

    who = [*NAMES, comparison.FEDERATED, comparison.POOLED]
    rows = [comparison.Row(name, 9000, 70, bank.Verdict(0.9 - place / 8, 0.99)) for place, name in enumerate(who)]
    table = comparison.Comparison(rows=rows, payments=30000, frauds=200)
    for name in ("one", "other"):
        plot.plot([table] * runs, tmp_path / name)
    picture = (tmp_path / "one").read_bytes()
    assert picture.startswith(b"\x89PNG")
    assert picture == (tmp_path / "other").read_bytes()
    assert len(picture) < 60_000
