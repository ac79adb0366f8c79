"""Whether the search for leaked card numbers would find one. A search that finds nothing anywhere proves nothing."""

import struct

import pytest

from .leaks import Planted, contents, tokens_in

NUMBER = "9990011234567897"
ELSEWHERE = "9990021234567895"
PLANTED = Planted([NUMBER, "9990039876543210"])
NOISE = bytes(range(256)) * 3


@pytest.mark.parametrize(
    "leak",
    [
        NUMBER.encode(),
        b"9990 0112 3456 7897",
        b"9990-0112-3456-7897",
        b"999001 1234567897",
        f"000000{NUMBER}0000".encode(),
        f"{NUMBER}.0".encode(),
        f'{{"card": {NUMBER}}}'.encode(),
        f"11 22 {NUMBER} 33".encode(),
        NUMBER.encode("utf-16"),
        NUMBER.encode("utf-32-be"),
        struct.pack("<q", int(NUMBER)),
        struct.pack(">q", int(NUMBER)),
        struct.pack("<d", float(NUMBER)),
        struct.pack(">d", float(NUMBER)),
        bytes.fromhex(NUMBER),
    ],
)
@pytest.mark.parametrize("offset", [0, 1, 7])
def test_a_planted_number_is_found_in_every_encoding_wherever_it_lies(leak, offset):
    assert PLANTED.leaked_in(NOISE[:offset] + leak + NOISE)


@pytest.mark.parametrize(
    "data", [b"", b"1", NOISE, ELSEWHERE.encode(), struct.pack("<d", float(ELSEWHERE)), NUMBER[:-1].encode()]
)
def test_other_data_is_no_leak(data):
    assert not PLANTED.leaked_in(data)


def test_a_planted_number_is_found_in_a_file_and_in_the_name_of_one(tmp_path):
    (tmp_path / "deep" / "down").mkdir(parents=True)
    (tmp_path / "deep" / "down" / "log").write_bytes(NOISE + NUMBER.encode())
    (tmp_path / f"{NUMBER}.csv").write_bytes(b"")
    (tmp_path / "clean").write_bytes(NOISE)
    leaking = [path.name for path, data in contents(tmp_path).items() if PLANTED.leaked_in(data)]
    assert sorted(leaking) == [f"{NUMBER}.csv", "log"]


def test_a_token_is_found_among_letters():
    assert "plnkokhpjaiiffdpmcgfhnckjhdohljg" in tokens_in(b"xaaplnkokhpjaiiffdpmcgfhnckjhdohljgop")
