"""What can happen to a document on its way: by accident, or by somebody who knows how it is built.

Each case is drawn from a seed of its own, so that one that fails can be made again by its number, and a hundred
thousand of them take a minute: hypothesis, which the tests of the codec use, would need an hour for as many.
"""
# ruff: noqa: S311  nothing here is a secret

import json
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from random import Random
from typing import Any

MOST_MUTATIONS = 4
DEEP = (2, 50, 200, 1_000)
LONG = (2, 5, 20, 100, 300)  # the largest records there can be are made in `test_extremes`
_MARK = "\N{SYMBOL FOR NULL}raw%d\N{SYMBOL FOR NULL}"

# What JSON's grammar has and Python's numbers have not, and the other way round.
RAW = (
    "NaN", "Infinity", "-Infinity", "1e999", "-1e999", "1" + "0" * 400, "9" * 4299, "9" * 4301, "0." + "0" * 400 + "1",
    "-0", "-0.0", "1E5", "1.0", "01", "+1", ".5", "1.", "0x10", "True", "undefined", "'a'", '"\\ud800"', '"\\u0000"',
    '"\\x41"', "", "//", "{", "}", "[", "]", ",", ":", '"', "1 2",
)  # fmt: skip
VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2**31, 2**53 + 1, 2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 2**64, 10**30, 0.5, 1e308,
    5e-324, "", " ", "a", "A", "\0", "\x1b[2J", "\N{RIGHT-TO-LEFT OVERRIDE}", "0", "1", "true", "null", "{}", "[]", {},
    [], [[]], {"": {}}, "a" * 300, "a" * 2_100, "0" * 64, "f" * 64, "F" * 64, "0" * 32, "\N{FULLWIDTH DIGIT ONE}",
)  # fmt: skip

Node = tuple[Any, Any]  # what holds a value, and the key or index by which it does


def mutated(random: Random, corpus: Sequence[bytes]) -> bytes:
    """One of the documents, with something done to its structure, its bytes, or both."""
    data = random.choice(corpus)
    if random.random() < 0.8:
        data = _of_structure(random, data, corpus)
    if random.random() < 0.3:
        data = _of_bytes(random, data, corpus)
    return data


def cases(name: str, count: int, corpus: Sequence[bytes]) -> Iterator[tuple[str, bytes]]:
    """So many inputs, each with the seed that makes it again."""
    for number in range(count):
        seed = f"{name} {number}"
        yield seed, mutated(Random(seed), corpus)


def _of_structure(random: Random, data: bytes, corpus: Sequence[bytes]) -> bytes:
    root: list[Any] = [json.loads(data)]
    raw: list[str] = []
    for _ in range(random.randint(1, MOST_MUTATIONS)):
        holder, key = random.choice(list(_nodes(root)) if root else [(root := [None], 0)])
        random.choice(_CHANGES)(random, holder, key, corpus, raw)
    text = json.dumps(root[0] if root else None, ensure_ascii=random.random() < 0.5)
    for number, each in enumerate(raw):
        text = text.replace(json.dumps(_MARK % number), each).replace(
            json.dumps(_MARK % number, ensure_ascii=False), each
        )
    return text.encode("utf-8", "surrogatepass")


def _nodes(root: Any) -> Iterator[Node]:
    """Every value, by its holder, the root's first."""
    pending: list[Any] = [root]
    while pending:
        holder = pending.pop()
        keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        for key in keys:
            yield holder, key
            if isinstance(holder[key], dict | list):
                pending.append(holder[key])


def _replace(random: Random, holder: Any, key: Any, _corpus: Sequence[bytes], _raw: list[str]) -> None:
    holder[key] = deepcopy(random.choice(VALUES))  # or what is done to it later would be done to all that follow


def _replace_raw(random: Random, holder: Any, key: Any, _corpus: Sequence[bytes], raw: list[str]) -> None:
    raw.append(random.choice(RAW))
    holder[key] = _MARK % (len(raw) - 1)


def _nudge(random: Random, holder: Any, key: Any, _corpus: Sequence[bytes], _raw: list[str]) -> None:
    """Near what was there: bounds are passed by one."""
    value = holder[key]
    if isinstance(value, bool) or value is None:
        holder[key] = not value
    elif isinstance(value, int | float):
        holder[key] = random.choice([value + 1, value - 1, -value, value * 2, float(value), str(value)])
    elif isinstance(value, str):
        holder[key] = random.choice([value[:-1], value + "a", value.upper(), value * 2, [value], value.encode().hex()])
    else:
        holder[key] = random.choice([[value], list(value), str(value), None])


def _delete(_random: Random, holder: Any, key: Any, _corpus: Sequence[bytes], _raw: list[str]) -> None:
    del holder[key]


def _repeat(random: Random, holder: Any, key: Any, _corpus: Sequence[bytes], _raw: list[str]) -> None:
    value, times = holder[key], random.choice(LONG)
    if isinstance(value, list) and value:
        holder[key] = value[:3] * times
    elif isinstance(value, dict) and value:
        first = next(iter(value.values()))
        holder[key] = value | {f"k{number}": first for number in range(times)}
    else:
        holder[key] = [value] * times


def _deepen(random: Random, holder: Any, key: Any, _corpus: Sequence[bytes], raw: list[str]) -> None:
    depth, (begin, end) = random.choice(DEEP), random.choice([("[", "]"), ('{"a":', "}")])
    raw.append(begin * depth + "1" + end * random.choice([depth, 0]))
    holder[key] = _MARK % (len(raw) - 1)


def _rename(random: Random, holder: Any, key: Any, _corpus: Sequence[bytes], _raw: list[str]) -> None:
    if isinstance(holder, dict):
        name = random.choice(
            [str(key).upper(), f"{key}s", "", "type", "__proto__", "self", random.choice(list(holder))]
        )
        holder[name] = holder.pop(key)


def _twice(random: Random, holder: Any, key: Any, _corpus: Sequence[bytes], raw: list[str]) -> None:
    """The same member once more, of another value: by a string that ends too early."""
    if isinstance(holder, dict):
        value, other = json.dumps(holder[key]), json.dumps(random.choice(VALUES))
        raw.append(f"{value},{json.dumps(str(key))}:{other}")
        holder[key] = _MARK % (len(raw) - 1)


def _graft(random: Random, holder: Any, key: Any, corpus: Sequence[bytes], _raw: list[str]) -> None:
    """Something that is right elsewhere."""
    other = [json.loads(random.choice(corpus))]
    found, at = random.choice(list(_nodes(other)))
    holder[key] = found[at]


Changer = Callable[[Random, Any, Any, Sequence[bytes], list[str]], None]
_CHANGES: tuple[Changer, ...] = (
    _replace, _replace, _replace_raw, _nudge, _nudge, _nudge, _delete, _repeat, _deepen, _rename, _twice, _graft,
)  # fmt: skip


def _of_bytes(random: Random, data: bytes, corpus: Sequence[bytes]) -> bytes:
    at = random.randrange(len(data) + 1)
    to = min(len(data), at + random.choice([1, 2, 8, 64]))
    return random.choice(_SPOILINGS)(random, data, slice(at, to), random.choice(corpus))


Spoiling = Callable[[Random, bytes, slice, bytes], bytes]
_BAD_TEXT = (b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"\x00", b"\xef\xbb\xbf")
_SPOILINGS: tuple[Spoiling, ...] = (
    lambda random, data, at, _: (
        data[: at.start] + bytes(b ^ 1 << random.randrange(8) for b in data[at]) + data[at.stop :]
    ),
    lambda _random, data, at, _: data[: at.start],
    lambda _random, data, at, _: data[: at.stop] + data[at.start :],
    lambda _random, data, at, _: data[: at.start] + data[at.stop :],
    lambda random, data, at, _: data[: at.start] + random.randbytes(at.stop - at.start) + data[at.stop :],
    lambda _random, data, at, other: data[: at.start] + other[at.start :],
    lambda random, data, at, _: data[: at.start] + random.choice(_BAD_TEXT) + data[at.start :],
    lambda random, data, _at, _: data.decode("utf-8", "replace").encode(random.choice(["utf-16", "utf-32", "utf-7"])),
)
