"""Reading SQL text without running it: where one statement ends and the next begins, and the marks for a cluster."""

from __future__ import annotations

import re
from collections.abc import Iterator

_TOKEN = re.compile(
    r"""
      '(?:[^'\\]|\\.|'')*'          # string
    | "(?:[^"\\]|\\.|"")*"          # quoted identifier
    | `(?:[^`\\]|\\.|``)*`          # quoted identifier
    | --[^\n]*                      # comment to the end of the line
    | \#[ !][^\n]*                  # the same, ClickHouse's other form
    | /\*.*?\*/                     # block comment
    | \$(\w*)\$.*?\$\1\$            # heredoc
    | ;
    | [^'"`;/\-\#$]+
    | .
    """,
    re.VERBOSE | re.DOTALL,
)

_VIEW = re.compile(r"(.*?\bCREATE OR REPLACE VIEW\b.*?\n\)\s*AS\s)(.*)(\nCOMMENT '(?:[^'\\]|\\.|'')*'\s*)", re.DOTALL)
_CLUSTER = re.compile(r"/\*cluster\*/")
_REPLICATED = re.compile(r"/\*replicated\*/(\w*MergeTree)\(")


def split(text: str) -> Iterator[str]:
    """Yields the statements of a script, without their semicolons; comments and quotes are respected, empty ones left out."""
    statement: list[str] = []
    bare = False
    for match in _TOKEN.finditer(text):
        piece = match.group()
        if piece == ";":
            if bare:
                yield "".join(statement).strip()
            statement, bare = [], False
            continue
        statement.append(piece)
        bare = bare or not (piece.isspace() or piece.startswith(("--", "/*", "# ", "#!")))
    if bare:
        yield "".join(statement).strip()


def bracketed(statement: str) -> str:
    """Returns a statement that makes a view with the view's query in brackets; any other statement as it is.

    Until version 26.7 a server takes COMMENT for an alias where it follows a table or a subquery without one, and says that the
    text behind it is a syntax error; what follows brackets around the whole query is not taken so by any. The migrations are
    never edited, so this is done to what they say. **Source**: ClickHouse issue 110331.
    """
    match = _VIEW.fullmatch(statement)
    return f"{match[1]}(\n{match[2]}\n){match[3]}" if match else statement


def for_cluster(statement: str, cluster: str) -> str:
    """Returns a migration's statement as it must run on a cluster.

    The files are written for a single node and are valid as they stand; two comments mark what differs:
    ``/*cluster*/`` becomes ``ON CLUSTER``, ``/*replicated*/`` in front of an engine makes it the replicated one.

    Args:
        statement: one statement of a migration.
        cluster: the cluster's name in the server's configuration; empty for a single node.
    """
    if not cluster:
        return statement
    statement = _CLUSTER.sub(f"ON CLUSTER '{cluster}'", statement)
    statement = _REPLICATED.sub(r"Replicated\1('/clickhouse/tables/{shard}/{database}/{table}', '{replica}', ", statement)
    return statement.replace("'{replica}', )", "'{replica}')")
