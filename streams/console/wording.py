"""How a conclusion is called: who merely has no exit is never said to have overstayed.

**Source**: docs/rules.md, Evidence grade; rights baseline: a finding is a rebuttable presumption.
"""

from __future__ import annotations

from streams.console.texts import Voice
from streams.policy.model import Policy


def title_of(rule: str, grade: str, policy: Policy, say: Voice) -> str:
    """Returns the title of a conclusion.

    Args:
        rule: name of the rule.
        grade: evidence grade: only what is established is called by the rule's own title, where the rule is one of stay.
        policy: the rules' titles.
        say: the visitor's language.
    """
    if rule.startswith("overstay") and grade != "established":
        return say("rule.no_exit")
    texts = policy.rule_texts.get(rule)
    return say.of(texts[0]) if texts else rule


_REASONS = frozenset(
    {"raised", "coverage", "exit_seen", "exit_not_seen", "registered", "title_found", "new_facts", "correction", "dispute"}
    | {"citizenship", "evidence", "options", "acknowledged", "extension", "policy", "permits_over", "permit_found"}
    | {
        "contract_found",
        "share_met",
        "identity",
        "threshold",
        "alerts_ended",
        "within_quota",
        "people_out",
        "quota_raised",
        "year_over",
        "term_over",
        "retention",
    }
)


def reason_of(reason: str, say: Voice) -> str:
    """Returns why a version came about; a reason that has no words yet is shown as it is."""
    return say("reason." + reason) if reason in _REASONS else reason


def place_of(oblast: str, post: str, policy: Policy, say: Voice) -> str:
    """Returns where something belongs: oblast and, if known, post of entry."""
    known = policy.codes.oblasts.get(oblast)
    words = [say.of(known.name) if known else oblast]
    entered = policy.codes.posts.get(post)
    if entered is not None:
        words.append(say.of(entered.name))
    return ", ".join(word for word in words if word) or "—"
