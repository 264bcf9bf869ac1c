"""Which pseudonyms are one person below a mark, and whose counts a change of that touches. Pure text, as ``counted``.

The counts hold what they were made with: pairs of pseudonym and person, under kind ``same``, changed in the same step as the
rest. So a link, its undoing, a correction of either, however late, takes the counts of the people as they were and gives those
of the people as they are (ADR 0137).
"""

from __future__ import annotations

from streams.warehouse.counted import Mark, facts

SAME = "SELECT subject, person FROM counts WHERE kind = 'same' GROUP BY subject, person HAVING sum(persons) > 0"
"""The pairs the counts were made with."""

_LINKS = "link_id, kind, other_subject, occurred_at"


def _ends(new: str, refused: str) -> str:
    """Returns the query for the pseudonyms that a link names whose record, or correction, is new."""
    either = f"({new}) OR ({refused})"
    ids = (
        f"SELECT link_id FROM raw_identity_link WHERE {either} "  # noqa: S608  # conditions of ours
        f"OR subject IN (SELECT subject FROM raw_correction WHERE {either})"
    )
    return f"SELECT arrayJoin([subject, other_subject]) AS subject FROM raw_identity_link WHERE link_id IN ({ids})"  # noqa: S608


def before(new: str, refused: str) -> str:
    """Returns what writes down who answered for whom, of everybody whom the new stretch of the log may concern.

    Args:
        new: condition of a delivery in the stretch.
        refused: condition of a delivery that a dead letter in the stretch refuses.
    """
    concerned = f"SELECT subject FROM counts_touched UNION ALL {_ends(new, refused)}"  # noqa: S608
    persons = f"SELECT person FROM ({SAME}) WHERE subject IN ({concerned})"  # noqa: S608
    return f"INSERT INTO counts_same SELECT -1, subject, person FROM ({SAME}) WHERE person IN ({persons})"  # noqa: S608


UNCHANGED = "INSERT INTO counts_same SELECT 1, subject, person FROM counts_same WHERE side = -1"
"""Writes down that everybody of these is who he or she was."""


def after(mark: Mark, new: str, refused: str) -> str:
    """Returns what writes down who answers for whom by the links below a mark, of the same people.

    They are all: a person they belong to now consists of them alone, because a link that ties them to anybody else is either an
    old one, and then that pseudonym was one of the person's before, or has a new record, and then it is an end of it.
    """
    those = (
        f"SELECT subject FROM counts_touched UNION ALL {_ends(new, refused)} "  # noqa: S608
        "UNION ALL SELECT subject FROM counts_same WHERE side = -1"
    )
    return f"INSERT INTO counts_same SELECT 1, subject, person FROM ({linked(mark, those)}) WHERE subject IN ({those})"  # noqa: S608


def linked(mark: Mark, those: str) -> str:
    """Returns the query for who is whom by the links below a mark: ``subject`` and ``person``, of linked pseudonyms alone.

    What ``core_same_person`` says, at a mark. **Source**: docs/rules.md, One person, several pseudonyms.

    Args:
        mark: what stands below it counts.
        those: query for the pseudonyms of whom the answer is whole.
    """
    ids = f"SELECT link_id FROM raw_identity_link WHERE subject IN ({those}) OR other_subject IN ({those})"  # noqa: S608
    told_of = f"subject IN (SELECT subject FROM raw_identity_link WHERE link_id IN ({ids}))"  # noqa: S608
    links = facts("raw_identity_link", f"recorded_at, {_LINKS}", mark, told_of)
    return f"""
        WITH RECURSIVE
            pairs AS
            (
                SELECT argMax(subject, (occurred_at, toString(event_id))) AS one,
                       argMax(other_subject, (occurred_at, toString(event_id))) AS other
                FROM ({links}) WHERE holds GROUP BY link_id
                HAVING argMax(toString(kind), (occurred_at, toString(event_id))) = 'linked'
            ),
            edges AS
            (
                SELECT DISTINCT tupleElement(e, 1) AS one, tupleElement(e, 2) AS other FROM pairs
                ARRAY JOIN [(pairs.one, pairs.other), (pairs.other, pairs.one), (pairs.one, pairs.one),
                            (pairs.other, pairs.other)] AS e
            ),
            reached AS
            (
                SELECT one AS subject, other AS person, 1 AS steps FROM edges
                UNION ALL
                SELECT DISTINCT r.subject AS subject, e.other AS person, r.steps + 1 AS steps
                FROM reached AS r INNER JOIN edges AS e ON e.one = r.person
                WHERE r.steps < 8
            )
        SELECT subject, min(person) AS person FROM reached GROUP BY subject"""  # noqa: S608  # names and numbers of ours


def moved(new: str, letters: str) -> str:
    """Returns the query that says whether a stretch of the log may change who is whom.

    Args:
        new: condition of a delivery in the stretch.
        letters: condition of a delivery that a dead letter in the stretch refuses.
    """
    either = f"({new}) OR ({letters})"
    return (
        f"SELECT (SELECT count() FROM raw_identity_link WHERE {either}) + (SELECT count() FROM raw_correction "  # noqa: S608
        f"WHERE ({either}) AND subject IN (SELECT subject FROM raw_identity_link))"
    )


# Where who answers for a pseudonym changed, the whole of both people is counted anew: those it leaves and those it joins. Then no
# person, as it was or as it is, is counted in part.
PEOPLE = """
INSERT INTO counts_people (subject, before, after)
WITH
    changed AS
    (
        SELECT subject FROM counts_same GROUP BY subject, person HAVING sum(side) != 0
    ),
    concerned AS
    (
        SELECT side, person FROM counts_same
        WHERE subject IN (SELECT subject FROM counts_touched) OR subject IN (SELECT subject FROM changed)
    )
SELECT t.subject AS subject, if(b.person = '', t.subject, b.person) AS before, if(a.person = '', t.subject, a.person) AS after
FROM
(
    SELECT DISTINCT subject FROM
    (
        SELECT subject FROM counts_touched
        UNION ALL SELECT subject FROM changed
        UNION ALL SELECT subject FROM counts_same WHERE (side, person) IN (SELECT side, person FROM concerned)
    )
) AS t
LEFT JOIN (SELECT subject, person FROM counts_same WHERE side = -1) AS b ON b.subject = t.subject
LEFT JOIN (SELECT subject, person FROM counts_same WHERE side = 1) AS a ON a.subject = t.subject
"""


def differences(change: int) -> str:
    """Returns what adds the pairs that were made or undone to ``counts_next``.

    Args:
        change: names the change.
    """
    return (
        "INSERT INTO counts_next (kind, day, subject, person, crossings, persons, change) "  # noqa: S608  # a number
        f"SELECT 'same', '1970-01-01', subject, person, sum(side) AS more, more, {change} FROM counts_same "
        "GROUP BY subject, person HAVING more != 0"
    )
