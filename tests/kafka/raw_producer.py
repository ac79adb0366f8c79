"""A producer of what confluent-kafka cannot be made to write: header names that are not UTF-8.

Its own librdkafka, which the wheel brings beside the extension module, is called by its C interface.
"""

import ctypes
from collections.abc import Sequence
from importlib.metadata import files
from types import TracebackType
from typing import Any, ClassVar, Self

FLUSH_MS = 60_000
TOPIC, PARTITION, VALUE, MESSAGE_FLAGS, HEADER = 1, 3, 4, 7, 9  # numbers of rd_kafka_vtype_t
COPY = 2  # RD_KAFKA_MSG_F_COPY


class _Bytes(ctypes.Structure):
    _fields_: ClassVar = [("data", ctypes.c_char_p), ("size", ctypes.c_size_t)]


class _Header(ctypes.Structure):
    _fields_: ClassVar = [("name", ctypes.c_char_p), ("value", ctypes.c_char_p), ("size", ctypes.c_ssize_t)]


class _Any(ctypes.Union):
    _fields_: ClassVar = [
        ("text", ctypes.c_char_p),
        ("number", ctypes.c_int32),
        ("data", _Bytes),
        ("header", _Header),
        ("room", ctypes.c_char * 64),
    ]


class _Argument(ctypes.Structure):
    """`rd_kafka_vu_t`."""

    _fields_: ClassVar = [("kind", ctypes.c_int), ("value", _Any)]


def _library() -> ctypes.CDLL:
    (path,) = (file for file in files("confluent-kafka") or () if file.name.startswith("librdkafka-"))
    library = ctypes.CDLL(str(path.locate()))
    library.rd_kafka_conf_new.restype = ctypes.c_void_p
    library.rd_kafka_conf_set.argtypes = [ctypes.c_void_p, *[ctypes.c_char_p] * 3, ctypes.c_size_t]
    library.rd_kafka_new.restype = ctypes.c_void_p
    library.rd_kafka_new.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t]
    library.rd_kafka_produceva.restype = ctypes.c_void_p
    library.rd_kafka_produceva.argtypes = [ctypes.c_void_p, ctypes.POINTER(_Argument), ctypes.c_size_t]
    library.rd_kafka_flush.argtypes = [ctypes.c_void_p, ctypes.c_int]
    library.rd_kafka_destroy.argtypes = [ctypes.c_void_p]
    return library


class RawProducer:
    """Writes records one by one; a context."""

    def __init__(self, bootstrap: str) -> None:
        self._library = _library()
        fault = ctypes.create_string_buffer(512)
        settings = self._library.rd_kafka_conf_new()
        set_ = self._library.rd_kafka_conf_set
        assert set_(settings, b"bootstrap.servers", bootstrap.encode(), fault, len(fault)) == 0, fault.value
        self._client = self._library.rd_kafka_new(0, settings, fault, len(fault))
        assert self._client, fault.value

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._library.rd_kafka_destroy(self._client)

    def produce(self, topic: str, partition: int, value: bytes, headers: Sequence[tuple[bytes, bytes]]) -> None:
        """Write a record and wait until it is acknowledged."""
        arguments = [
            _argument(TOPIC, text=topic.encode()),
            _argument(PARTITION, number=partition),
            _argument(VALUE, data=_Bytes(value, len(value))),
            _argument(MESSAGE_FLAGS, number=COPY),
            *(_argument(HEADER, header=_Header(name, data, len(data))) for name, data in headers),
        ]
        array = (_Argument * len(arguments))(*arguments)
        assert not self._library.rd_kafka_produceva(self._client, array, len(arguments))
        assert self._library.rd_kafka_flush(self._client, FLUSH_MS) == 0


def _argument(kind: int, **value: Any) -> _Argument:
    return _Argument(kind, _Any(**value))
