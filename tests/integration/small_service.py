"""A small real process for tests of supervision: answers its probes, and misbehaves as its first argument says."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer


class Probes(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path in ("/livez", "/readyz") else 404)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def main() -> None:
    kind = sys.argv[1] if len(sys.argv) > 1 else ""
    if kind == "fails":
        sys.stderr.write("some detail\nshekara: The moon is missing.\n  → Wait for the night.\n")
        sys.exit(3)
    if kind == "stubborn":  # hears nothing and has a child that hears nothing
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        subprocess.Popen([sys.executable, "-c", "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(600)"])
    else:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    HTTPServer(("127.0.0.1", int(os.environ["SHEKARA_METRICS_PORT"])), Probes).serve_forever()


if __name__ == "__main__":
    main()
