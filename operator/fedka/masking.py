"""Card numbers made unreadable before anything else sees them, so that a card can still be told from another.

A participant's data often has card numbers in it. Training does not need them, but needs to know which payments were
made with the same card, so they cannot simply be left out. A token that stands for the number keeps that and no more.

Why the hash has a key: there are few card numbers. The first six or eight digits name the issuer and are public, and
the last is a check digit, so of 16 digits at most 10^9 are possible where the issuer is known, and a graphics card
computes that many SHA-256 sums within a second. A salt that lies beside the tokens does not change that, and a slow
hash not enough. With a secret key of 256 bits the tokens say nothing to whoever does not have it. PCI DSS 4.0.1,
requirement 3.5.1.1, asks for the same: a keyed hash of the entire number, such as HMAC. The construction is
HMAC-SHA-256 (RFC 2104, FIPS 198-1); by NIST SP 800-107 its strength is the key's, not that of the token's length.

What it protects from: whoever sees tokens, and all that was computed from them, without the key. What it does not:
whoever has the key and the tokens can try all numbers. So the key stays with the data's owner, apart from the tokens,
and each participant has its own: the same card then has different tokens at different owners, and nobody can join
them. Tokens remain personal data (GDPR, article 4(5): pseudonymisation). Nothing in Fedka sends them anywhere, and no
app should.
"""

import hmac
import os
import re
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

LEAST_KEY_BYTES = 32  # the output of SHA-256: a longer key adds nothing, a shorter one takes away
LEAST_DIFFERENT_BYTES = 8  # 32 random bytes have fewer once in 10^36 times; a mistyped or empty key always
TOKEN_BYTES = 16  # the first two tokens to collide are expected among 2^64 cards
SHORTEST, LONGEST = 12, 19  # digits, as issued; ISO/IEC 7812-1 allows up to 19
OWNER_ONLY = 0o600
DOMAIN = b"fedka.masking.card/1\0"  # what else the key may be used for gives unrelated values

_SPELLING = re.compile(r"[0-9](?:[ -]?[0-9])*")
_RUN = re.compile(rf"[0-9](?:[ -]?[0-9]){{{SHORTEST - 1},}}")
_NO_DIGITS = str.maketrans("0123456789abcdef", "abcdefghijklmnop")
_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)  # the sum of the digits of twice a digit


class NotACardNumber(ValueError):
    """A value is not written like a card number. The message never holds it: messages travel into logs and status."""


class KeyUnusable(ValueError):
    """A key is too short, not random, or not to be read. The message never holds it."""


@dataclass(frozen=True, slots=True)
class CardMask:
    """Makes tokens of card numbers: the same number, however it is spelled, gives the same token under the same key.

    A token is 32 letters from a to p, so it can be taken neither for a card number nor for any other; `last_four`
    appends a dash and the last four digits, which people know their cards by (and which PCI DSS 3.4.1 lets be shown).
    `purpose` is any text: tokens for different purposes have nothing in common, though the key is the same.
    Raises KeyUnusable for a key of less than 32 bytes, or of bytes that are nearly all the same.
    """

    key: bytes = field(repr=False)
    purpose: str = ""
    last_four: bool = False

    def __post_init__(self) -> None:
        _check_key(self.key, "the key")

    def token(self, number: str) -> str:
        """The token of one number: 12 to 19 digits with a right check digit, in groups by spaces or dashes or not.

        Raises NotACardNumber.
        """
        digits = _digits(number, "the value")
        return self._token(digits)

    def tokens(self, numbers: Iterable[str]) -> list[str]:
        """The tokens of a column, in its order. Raises NotACardNumber, which says in which row."""
        known: dict[str, str] = {}  # a card pays many times
        column = []
        for row, number in enumerate(numbers):
            digits = _digits(number, f"row {row}")
            if digits not in known:
                known[digits] = self._token(digits)
            column.append(known[digits])
        return column

    def _token(self, digits: str) -> str:
        purpose = self.purpose.encode()
        message = DOMAIN + len(purpose).to_bytes(4, "big") + purpose + digits.encode("ascii")
        token = hmac.digest(self.key, message, "sha256")[:TOKEN_BYTES].hex().translate(_NO_DIGITS)
        return f"{token}-{digits[-4:]}" if self.last_four else token


def is_card_number(text: str) -> bool:
    """Whether a text is 12 to 19 digits, in groups by single spaces or dashes or not, with a right check digit."""
    return _trouble(text) is None


def find_card_numbers(data: str | bytes) -> Iterator[str]:
    """What could be a card number in a text, a log or a file, as plain digits, in order; a number may come repeatedly.

    A find begins and ends where digits do, or at a space or dash among them. One in ten numbers of that length has a
    right check digit by chance, so a find is a reason to look; no find is no proof for what is compressed or encoded.
    """
    text = data.decode("latin-1") if isinstance(data, bytes) else data
    for run in _RUN.finditer(text):
        groups = re.split("[ -]", run[0])
        for first in range(len(groups)):
            digits = ""
            for group in groups[first:]:
                digits += group
                if len(digits) > LONGEST:
                    break
                if len(digits) >= SHORTEST and _luhn(digits):
                    yield digits


def parse_key(text: str) -> bytes:
    """A key from hexadecimal digits, at least 64 of them, as `openssl rand -hex 32` prints; from a variable, say.

    Raises KeyUnusable.
    """
    return _parsed(text, "the key")


def read_key(path: Path) -> bytes:
    """A key from a file with hexadecimal digits in it. Raises KeyUnusable."""
    try:
        text = path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise KeyUnusable(f"the key file {path} cannot be read: {reason}") from None
    return _parsed(text, f"the key file {path}")


def make_key(path: Path) -> bytes:
    """A new random key, in a new file that its owner alone may read; what is read back where there is one already.

    Two processes that do so at once get the same key. Raises KeyUnusable, or OSError where no file can be made.
    """
    if not path.exists():
        draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
        try:
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY), "w") as file:
                file.write(f"{secrets.token_hex(LEAST_KEY_BYTES)}\n")
                file.flush()
                os.fsync(file.fileno())  # tokens made with a key that a power cut has emptied could not be made again
            os.link(draft, path)  # whole or not at all, and never over another's
        except FileExistsError:
            pass
        finally:
            draft.unlink(missing_ok=True)
    return read_key(path)


def _digits(number: str, which: str) -> str:
    trouble = _trouble(number)
    if trouble is not None:
        raise NotACardNumber(f"{which} is no card number: {trouble}")
    return number.strip().replace(" ", "").replace("-", "")


def _trouble(number: object) -> str | None:
    """Why a value is not a card number, in words that say nothing of its digits; None if it is one."""
    if not isinstance(number, str):
        return f"it is of type {type(number).__name__}; read the column as text, for numbers lose digits"
    text = number.strip()
    if _SPELLING.fullmatch(text) is None:
        return "it is not made of digits, with single spaces or dashes between them"
    digits = text.replace(" ", "").replace("-", "")
    if not SHORTEST <= len(digits) <= LONGEST:
        return f"it has {len(digits)} digits; a card number has {SHORTEST} to {LONGEST}"
    return None if _luhn(digits) else "its check digit is wrong, so a digit was lost or mistyped"


def _luhn(digits: str) -> bool:
    """The check digit of ISO/IEC 7812-1, annex B."""
    values = [int(digit) for digit in reversed(digits)]
    return (sum(values[0::2]) + sum(_DOUBLED[value] for value in values[1::2])) % 10 == 0


def _parsed(text: str, which: str) -> bytes:
    try:
        key = bytes.fromhex(text.strip())
    except ValueError:
        raise KeyUnusable(f"{which} is not hexadecimal: make one with `openssl rand -hex 32`") from None
    _check_key(key, which)
    return key


def _check_key(key: bytes, which: str) -> None:
    if len(key) < LEAST_KEY_BYTES:
        raise KeyUnusable(
            f"{which} has {len(key)} bytes; at least {LEAST_KEY_BYTES} are needed: make one with `openssl rand -hex 32`"
        )
    if len(set(key)) < LEAST_DIFFERENT_BYTES:
        raise KeyUnusable(f"{which} is not random: make one with `openssl rand -hex 32`")
