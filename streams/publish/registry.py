"""An optional Schema Registry (Confluent's API): our schemas registered there under the very numbers of ``schemas/ids.json``.

Messages need no registry: a number in Confluent framing is ours, for ever. A registry, where tools want one, is given the same
numbers (its IMPORT mode), so that whoever frames by the registry and whoever frames by the list write the same bytes, and a
worker never has to ask.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote, urlsplit, urlunsplit

from streams.errors import DependencyError, IntegrityError, SetupError
from streams.wire.avro import codecs
from streams.wire.schemas import Version, fingerprint_of
from streams.wire.topics import topic_of

if TYPE_CHECKING:
    import httpx

State = Literal["there", "registered", "missing"]

_MEDIA = "application/vnd.schemaregistry.v1+json"
_ANSWER_S = 15.0


@dataclass(frozen=True, slots=True)
class Entry:
    """One version of one schema in the registry.

    Attributes:
        subject: by topic and record name (Confluent's TopicRecordNameStrategy), as several types share a topic.
        version: of the schema.
        schema_id: its number.
        state: whether it was there, was registered now, or is missing.
    """

    subject: str
    version: int
    schema_id: int
    state: State


class Registry:
    """A connection to a registry.

    Args:
        url: ``https://user:password@host:port``; a password without TLS is refused but on loopback.
        ca: certificate authority, PEM; none: the system's.

    Raises:
        SetupError: the URL is none, or httpx is not installed.
    """

    def __init__(self, url: str, ca: str | None = None) -> None:
        try:
            import httpx
        except ImportError as error:
            raise SetupError(
                "A Schema Registry is asked with httpx, and it is not installed.", "Install it: pip install 'shekara[registry]'."
            ) from error
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise SetupError("Expected the registry as https://host:port.", "Set SHEKARA_SCHEMA_REGISTRY.")
        if parts.scheme == "http" and parts.password and parts.hostname not in ("127.0.0.1", "localhost", "::1"):
            raise SetupError("The registry's password would travel in the clear.", "Use https://.")
        host = parts.hostname if parts.port is None else f"{parts.hostname}:{parts.port}"
        self._where = urlunsplit((parts.scheme, host, parts.path.rstrip("/"), "", ""))
        auth = (parts.username or "", parts.password or "") if parts.username else None
        self._client: httpx.Client = httpx.Client(
            base_url=self._where, auth=auth, timeout=_ANSWER_S, verify=True if ca is None else ca, headers={"Accept": _MEDIA}
        )

    def close(self) -> None:
        """Ends the connection."""
        self._client.close()

    def sync(self, namespace: str, *, write: bool) -> Iterator[Entry]:
        """Compares every version of every schema, and registers those that are missing if asked to.

        Args:
            namespace: prefix of the topics.
            write: whether to register.

        Raises:
            IntegrityError: the registry has another schema under one of our numbers or versions: it may not be used.
            DependencyError: it does not answer, or refused.
        """
        for codec in sorted(codecs().by_id.values(), key=lambda one: (one.version.name, one.version.version)):
            version = codec.version
            subject = f"{topic_of(version.name).name(namespace)}-{version.document['namespace']}.{version.document['name']}"
            state: State = "there" if self._has(subject, version) else "missing"
            if state == "missing" and write:
                self._register(subject, version)
                state = "registered"
            yield Entry(subject, version.version, version.schema_id, state)

    def _has(self, subject: str, version: Version) -> bool:
        there = self._ask("GET", f"/subjects/{quote(subject, safe='')}/versions/{version.version}")
        by_id = self._ask("GET", f"/schemas/ids/{version.schema_id}")
        for found, number in ((there, there.get("id") if there else None), (by_id, version.schema_id)):
            if found is not None and (number != version.schema_id or _print(found) != version.fingerprint):
                raise IntegrityError(
                    f"The registry at {self._where} has something else where {subject} version {version.version} with number "
                    f"{version.schema_id} belongs.",
                    "Give Shekara a registry, or a context of one, whose numbers from 1 are free.",
                )
        return there is not None

    def _register(self, subject: str, version: Version) -> None:
        path = quote(subject, safe="")
        self._demand("PUT", f"/mode/{path}", {"mode": "IMPORT"})
        try:
            schema = json.dumps(version.document, ensure_ascii=False)
            body = {"schema": schema, "schemaType": "AVRO", "id": version.schema_id, "version": version.version}
            said = self._demand("POST", f"/subjects/{path}/versions", body)
        finally:
            self._demand("PUT", f"/mode/{path}", {"mode": "READWRITE"})
        if said.get("id") != version.schema_id:
            raise IntegrityError(f"The registry gave {subject} the number {said.get('id')}; expected {version.schema_id}.")
        self._demand("PUT", f"/config/{path}", {"compatibility": "BACKWARD_TRANSITIVE"})

    def _demand(self, method: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        found = self._ask(method, path, body)
        if found is None:
            raise DependencyError(f"The registry at {self._where} does not know {method} {path}.", "It must allow mode IMPORT.")
        return found

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any] | None:
        """Returns the answer; none if there is no such thing."""
        import httpx

        try:
            content = None if body is None else json.dumps(body)
            answer = self._client.request(method, path, content=content, headers={"Content-Type": _MEDIA})
        except httpx.HTTPError as error:
            raise DependencyError(
                f"The registry at {self._where} does not answer: {type(error).__name__}.", "Check SHEKARA_SCHEMA_REGISTRY."
            ) from error
        if answer.status_code == 404:
            return None
        try:
            found = answer.json()
        except ValueError:
            found = None
        if answer.status_code >= 400 or not isinstance(found, dict):
            why = found.get("message", "") if isinstance(found, dict) else ""
            raise DependencyError(
                f"The registry at {self._where} refused {method} {path}: {answer.status_code} {str(why)[:200]}."
            )
        return found


def _print(found: dict[str, Any]) -> bytes:
    try:
        return fingerprint_of(json.loads(str(found.get("schema", ""))))
    except Exception:
        # Another kind of schema (JSON, Protobuf), or Avro that fastavro does not read: not ours in any case.
        return b""
