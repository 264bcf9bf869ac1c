"""Law as dated data: what was lawful on which day, where it is written, and how sure we are (docs/policy.md)."""
