"""What may become of a person: each story tells one life as events, and what is true of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from streams.simulate.life import Life
from streams.simulate.stories.moves import emigrate, kandas, move_inside, settle, work_abroad
from streams.simulate.stories.refuge import asylum, trafficking
from streams.simulate.stories.visits import (
    banned,
    entry_only,
    exit_only,
    link,
    no_visa,
    overstay,
    shuttle,
    visa_overstay,
    visa_visit,
    visit,
)
from streams.simulate.stories.work import contract_work, household_work, permit_work, study, unregistered_work

Story = Callable[[Life, int], None]
"""Tells a life that begins on a local day (days since 1970-01-01)."""

STORIES: Mapping[str, Story] = {
    story.__name__: story
    for story in (
        visit,
        shuttle,
        overstay,
        visa_visit,
        visa_overstay,
        no_visa,
        entry_only,
        exit_only,
        banned,
        link,
        contract_work,
        household_work,
        permit_work,
        unregistered_work,
        study,
        asylum,
        trafficking,
        settle,
        move_inside,
        emigrate,
        work_abroad,
        kandas,
    )
}
"""Every story by the name ``kz.yaml`` weighs it under."""
