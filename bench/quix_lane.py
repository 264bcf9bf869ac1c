"""The work of ``ours-core`` as Quix Streams' documentation shows it; runs in the environment of ``bench/requirements.lock``.

State in RocksDB with its changelog, bytes in and out (no JSON), the checkpoint every second instead of every five, so that
the measurement does not end on seconds of work that is not written yet.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import struct
import tempfile
from pathlib import Path
from typing import Any

from fastavro import parse_schema, schemaless_reader
from quixstreams import Application

from bench.meter import Meter

HEADER_BYTES = 10
CHECKPOINT_S = 1.0


def main() -> None:
    """Runs the lane; prints its figures as one line of JSON."""
    parser = argparse.ArgumentParser()
    for name in ("--bootstrap", "--topic", "--run", "--schema"):
        parser.add_argument(name, required=True)
    parser.add_argument("--events", type=int, required=True)
    parser.add_argument("--warm-up", type=int, required=True)
    parser.add_argument("--limit-s", type=float, required=True)
    given = parser.parse_args()
    meter = Meter(given.events, given.warm_up, given.limit_s)
    schema = parse_schema(json.loads(Path(given.schema).read_text("utf-8")))
    done = 0
    with tempfile.TemporaryDirectory(prefix="quix-") as folder:
        app = Application(
            broker_address=given.bootstrap,
            consumer_group=given.run,
            auto_offset_reset="earliest",
            state_dir=folder,
            commit_interval=CHECKPOINT_S,
            loglevel="ERROR",
        )
        topic = app.topic(given.topic, key_deserializer="bytes", value_deserializer="bytes")

        def put(value: bytes, state: Any) -> bytes:
            nonlocal done
            row: Any = schemaless_reader(io.BytesIO(value[HEADER_BYTES:]), schema, None)
            before = state.get_bytes("dossier")
            count, last = struct.unpack(">Iq", before) if before is not None else (0, 0)
            state.set_bytes("dossier", struct.pack(">Iq", count + 1, max(last, row["occurred_at"])))
            done += 1
            if done % 100 == 0 and meter.reached(done):
                print(json.dumps(meter.report()), flush=True)
                os._exit(0)  # the state is thrown away: an orderly stop would only take time
            return value

        app.dataframe(topic).update(put, stateful=True)
        app.run()


if __name__ == "__main__":
    main()
