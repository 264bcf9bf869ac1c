"""Shekara: continuous, explainable monitoring of lawful entry, stay and work.

The rooms and what each may import are listed in ``.importlinter``; ``docs/architecture.md`` walks through them.
"""

__version__ = "0.1.0"
