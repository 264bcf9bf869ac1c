"""A second judge: brute force, day by day over raw events, written from docs/rules.md and shared/DOMAIN.md alone.

It shares no code with the rooms it judges (`streams.detect`, `alerts`, `cases`, `person`) and imports none of them; of a policy
it reads plain values only. It is slow on purpose: every question is asked of every day, so that a reader can check it against
the page.
"""
