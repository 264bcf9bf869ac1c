"""Every setting, its default and its meaning; the only module that reads the environment.

A variable is the field's name in capitals behind ``SHEKARA_``: ``SHEKARA_KAFKA=broker:9092``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Typed view of ``SHEKARA_*``; build one at the start of a process and hand it down."""

    model_config = SettingsConfigDict(
        env_prefix="SHEKARA_", extra="ignore", frozen=True, populate_by_name=True, env_ignore_empty=True
    )

    home: Path = Field(
        default=Path(".shekara"), description="Data directory of the embedded stack: broker, engine, locks, ports."
    )
    cache: Path = Field(
        default=Path("~/.cache/shekara").expanduser(), description="Verified downloads, shared by every checkout of one user."
    )

    java_home: Path | None = Field(
        default=None, validation_alias="JAVA_HOME", description="Java for the embedded broker (JAVA_HOME, without our prefix)."
    )

    kafka: str = Field(default="", description="host:port,… of your own Kafka; empty means the embedded broker.")
    kafka_security: Literal["PLAINTEXT", "SSL", "SASL_SSL"] = Field(
        default="PLAINTEXT", description="Protocol towards Kafka. SASL without TLS is refused on purpose."
    )
    kafka_ca: Path | None = Field(default=None, description="CA certificate (PEM) for SSL and SASL_SSL.")
    kafka_certificate: Path | None = Field(default=None, description="Client certificate (PEM) for mutual TLS.")
    kafka_key: Path | None = Field(default=None, description="Client key (PEM) for mutual TLS.")
    kafka_sasl_mechanism: Literal["SCRAM-SHA-256", "SCRAM-SHA-512", "PLAIN"] = "SCRAM-SHA-512"
    kafka_username: str = ""
    kafka_password: SecretStr = SecretStr("")

    schema_registry: SecretStr = Field(
        default=SecretStr(""), description="https://user:password@host:port of a Schema Registry for other tools; none is needed."
    )

    namespace: str = Field(default="shekara", description="Prefix of every topic, consumer group and transaction.")
    partitions: int = Field(default=4, ge=1, le=1024, description="Partitions of the person log when topics are created.")
    replication: int = Field(default=1, ge=1, le=5, description="Replication factor when topics are created.")

    pseudonym_key: SecretStr = Field(
        default=SecretStr(""),
        description="Key for pseudonyms, 64 hexadecimal digits or more; only where document numbers are read.",
    )
    pseudonym_key_file: Path | None = Field(
        default=None, description="File with that key (mode 0600), instead of the key itself."
    )
    pseudonym_key_version: int = Field(default=1, ge=1, le=999_999, description="Version of that key: it begins every pseudonym.")

    vault: SecretStr = Field(
        default=SecretStr(""),
        description="Where document data lie sealed: a file, or clickhouse://…/database; empty means <home>/vault/vault.db.",
    )
    vault_key_file: Path | None = Field(
        default=None, description="Keys that seal them (mode 0600), the one in use first; none: document data are not kept."
    )

    signing_key_file: Path | None = Field(
        default=None, description="Private key a source signs its events with (mode 0600); none: events go unsigned."
    )
    signing_kid: str = Field(default="", description="Name of that key in the register of sources.")

    clickhouse: SecretStr = Field(
        default=SecretStr(""), description="clickhouse://user:password@host:port/database; empty means the embedded engine."
    )

    console_store: SecretStr = Field(
        default=SecretStr(""),
        description="postgresql://user:password@host:port/database of the console's own store; empty means a file in its home.",
    )

    console_oidc_issuer: str = Field(
        default="", description="https://… of an OpenID Connect provider officers sign in with; empty means local accounts only."
    )
    console_oidc_client_id: str = Field(default="", description="Name the provider knows the console by.")
    console_oidc_client_secret: SecretStr = Field(
        default=SecretStr(""), description="Secret of that client; empty where the provider asks for none (PKCE is always used)."
    )
    console_oidc_client_secret_file: Path | None = Field(
        default=None, description="File with that secret (mode 0600), instead of the secret itself."
    )
    console_oidc_scope: str = Field(
        default="openid profile", description="Scopes asked for; must bring the claim with the roles."
    )
    console_oidc_claim: str = Field(
        default="groups", description="Claim of the ID token that holds the roles; a dot leads into it: realm_access.roles."
    )
    console_oidc_roles: str = Field(
        default="",
        description='JSON: from a value of the claim to a role: {"border": "operator", "atyrau": "oblast_operator KZ-23"}.',
    )

    sources: Path | None = Field(
        default=None, description="Register of sources (YAML): which source may write which event type; none: every source may."
    )
    policy: str = Field(default="kz", description="Name of a shipped policy, or the path of a policy directory.")
    map_file: Path | None = Field(
        default=None, description="GeoJSON of the oblasts for the console's overview (docs/console.md); none: a grid of tiles."
    )
    ticks: Literal["wall", "log"] = Field(
        default="wall", description="wall: this stack writes tick records by its clock; log: someone else does (a simulation)."
    )
    tick_interval_s: float = Field(default=10.0, gt=0, description="Seconds between wall-clock ticks.")

    store: Literal["memory", "rocksdb"] = Field(
        default="memory",
        description="Where a worker keeps dossiers: memory, or rocksdb in its data directory (less memory, faster restarts).",
    )
    batch_records: int = Field(default=2000, ge=1, description="Records of one partition handled as one unit, at most.")
    sink_batch_rows: int = Field(default=20_000, ge=1, description="Rows per table and block towards ClickHouse, at most.")
    sink_batch_s: float = Field(default=1.0, gt=0, description="Seconds a row waits for its block, at most.")

    log_format: Literal["console", "json"] = "console"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    metrics_host: str = Field(
        default="127.0.0.1", description="Address of /metrics, /livez, /readyz; widen it only inside a container network."
    )
    metrics_port: int = Field(
        default=0, ge=0, le=65535, description="Loopback port for /metrics, /livez, /readyz; 0 takes a free one."
    )
    sql_port: int = Field(
        default=0, ge=0, le=65535, description="Loopback port of the warehouse's read-only SQL endpoint; 0 takes a free one."
    )


def variable(name: str) -> str:
    """Returns the environment's variable of a field; a field with a name of its own there is reported by it already."""
    return name if name.isupper() else f"SHEKARA_{name.upper()}"
