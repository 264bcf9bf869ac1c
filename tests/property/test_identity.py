"""One person with several pseudonyms: whatever came first, in the end one of them answers for all, and the oracle agrees."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace

from hypothesis import given
from hypothesis import strategies as st

from streams.cases.options import REFERRAL
from streams.person import START, Cause, LogTime, dossier_of, due_of, revisit, root_of, take
from streams.person.step import Step
from streams.records import Alert, Case, Correction, Finding, IdentityLink, PersonEvent, SharedFacts, Tick
from tests.oracle.identity import people
from tests.oracle.judge import judge
from tests.property.lives import SUBJECT, Life, lives
from tests.property.test_oracle_agreement import LIVES, OPEN, Told, agreement, clock_of, differences, is_due, policy, story

OTHERS = ("p:8", "p:9")
NAMES = (SUBJECT, *OTHERS)
NUMBERS = st.integers(0, 1 << 30)


@dataclass
class World:
    """Several pseudonyms, each in a partition of its own; what one tells another joins the other's log."""

    chance: random.Random
    logs: dict[str, list[PersonEvent]] = field(default_factory=dict)
    states: dict[str, bytes] = field(default_factory=dict)
    told: dict[str, Told] = field(default_factory=dict)
    time: LogTime = START
    messages: int = 0

    def run(self) -> None:
        """Takes records, whichever partition is ahead, until all logs are read."""
        while waiting := sorted(name for name, log in self.logs.items() if log):
            name = self.chance.choice(waiting)
            record = self.logs[name].pop(0)
            # What one state tells another may be read twice, as anything else.
            if isinstance(record, SharedFacts) and self.chance.random() < 0.1:
                self.logs[name].append(record)
            self.keep(name, take(self.states.get(name), record, self.time, Cause(record.event_id, 7), policy()))

    def tick(self, tick: Tick) -> None:
        """Lets time pass in every partition."""
        before, self.time = self.time, self.time.after(tick)
        for name, state in sorted(self.states.items()):
            if is_due(due_of(state), before, self.time):
                self.keep(name, revisit(state, name, self.time, Cause(tick.event_id, 7), policy()))

    def keep(self, name: str, step: Step) -> None:
        """Keeps what came of a step."""
        if step.state is not None:
            self.states[name] = step.state
        told = self.told.setdefault(name, Told())
        versions: tuple[Alert | Finding, ...] = (*step.alerts, *step.findings)
        for version in versions:
            told.conclusions[version.alert_id] = version
        for case in step.cases:
            told.cases[case.case_id] = case
        for shared in step.shared:
            assert shared.subject != name
            self.messages += 1
            assert self.messages < 2_000, "states keep telling each other the same"
            self.logs.setdefault(shared.subject, []).append(shared)


@st.composite
def divided(draw: st.DrawFn) -> tuple[Life, list[PersonEvent]]:
    """Draws a life whose events came under up to three pseudonyms, with links between them, some undone, some corrected."""
    life = draw(lives())
    events: list[PersonEvent] = [replace(event, subject=draw(st.sampled_from(NAMES))) for event in life.events]
    first = min(event.occurred_at for event in events)
    for number in range(draw(st.integers(1, 4))):
        one, other = draw(st.permutations(NAMES))[:2]
        at = first + draw(st.integers(0, 100)) * 86_400_000
        link_id = bytes([200 + draw(st.integers(0, 2))] * 16)
        kind = draw(st.sampled_from(("linked", "linked", "linked", "unlinked")))
        name = bytes([240 + number, *([number] * 15)])
        link = IdentityLink(name, one, at, at + 1, "", 1, kind, link_id, other, "new_document")  # type: ignore[arg-type]
        events.append(link)
        if draw(st.integers(0, 4)) == 4:
            events.append(Correction(bytes([230 + number] * 16), one, at + 5, at + 5, "", 1, name, None, "wrong_person"))
    return life, draw(st.permutations(events))


def settled(life: Life, events: list[PersonEvent], seed: int) -> World:
    """Returns the world after all has been read, and time has passed."""
    world = World(random.Random(seed))  # a schedule, not a secret
    for event in events:
        world.logs.setdefault(event.subject, []).append(event)
    world.run()
    for one in life.log:
        if isinstance(one, Tick):  # in the order of the log: one that comes after a later one tells nothing
            world.tick(one)
    return world


@agreement
@given(divided(), NUMBERS)
def test_in_the_end_one_pseudonym_answers_for_all_of_a_person(given: tuple[Life, list[PersonEvent]], seed: int) -> None:
    life, events = given
    world = settled(life, events, seed)
    expected = people(events)
    for name, state in world.states.items():
        answering = next(root for root in expected if root == root_of(state, name))
        if answering != name:
            said = world.told[name].conclusions.values()
            assert not [one for one in said if one.state in OPEN], story(
                life, ["a pseudonym that does not answer says something"]
            )
    for root, own in expected.items():
        if own and root in world.told:
            faults = differences(world.told[root], judge(own, policy(), *clock_of(life)))
            assert not faults, story(Life((*own, *(one for one in life.log if isinstance(one, Tick)))), [root, *faults])
            assert {fact.event_id for fact in dossier_of(world.states[root], root).facts} == {one.event_id for one in own}


@agreement
@given(divided(), NUMBERS, NUMBERS)
def test_the_schedule_of_partitions_changes_nothing_in_the_end(
    given: tuple[Life, list[PersonEvent]], one: int, other: int
) -> None:
    life, events = given
    left = settled(life, events, one)
    right = settled(life, [*events[::-1], *events[::3]], other)
    for name in NAMES:
        states = [world.states.get(name) for world in (left, right)]
        assert (states[0] is None) == (states[1] is None)
        if states[0] is not None and states[1] is not None:
            assert root_of(states[0], name) == root_of(states[1], name)
            if root_of(states[0], name) == name:
                assert dossier_of(states[0], name) == dossier_of(states[1], name)


@agreement
@given(divided(), NUMBERS)
def test_nobody_is_referred_while_another_of_their_pseudonyms_has_not_told_everything(
    given: tuple[Life, list[PersonEvent]], seed: int
) -> None:
    world = World(random.Random(seed))
    for event in given[1]:
        world.logs.setdefault(event.subject, []).append(event)
    held_back: list[SharedFacts] = []
    while waiting := sorted(name for name, log in world.logs.items() if log):
        record = world.logs[waiting[0]].pop(0)
        if isinstance(record, SharedFacts) and record.whole:
            held_back.append(record)  # the network is slow for exactly these
            continue
        world.keep(
            record.subject, take(world.states.get(record.subject), record, world.time, Cause(record.event_id, 7), policy())
        )
    for record in held_back:
        told = world.told.get(record.subject)
        if told is not None and root_of(world.states[record.origin], record.origin) == record.subject:
            offered: list[Alert | Finding | Case] = [*told.conclusions.values(), *told.cases.values()]
            assert not [one for one in offered if REFERRAL in one.options and getattr(one, "state", "raised") in OPEN]


def test_there_are_enough_lives() -> None:
    assert LIVES >= 500
