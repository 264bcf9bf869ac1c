from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kafka.partitioner.default import murmur2 as kafka_pythons

from streams.wire.partition import murmur2, partition_of


@pytest.mark.parametrize(
    ("key", "signed"),
    [
        # Apache Kafka's own cases (org.apache.kafka.common.utils.UtilsTest).
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"a-little-bit-longer-string", -1486304829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        (b"abc", 479470107),
    ],
)
def test_the_hash_is_the_one_of_kafkas_java_client(key: bytes, signed: int) -> None:
    assert murmur2(key) == signed & 0xFFFFFFFF


@given(st.binary(max_size=80), st.integers(1, 1024))
def test_every_key_goes_where_kafkas_clients_send_it(key: bytes, partitions: int) -> None:
    assert partition_of(key, partitions) == (kafka_pythons(key) & 0x7FFFFFFF) % partitions
