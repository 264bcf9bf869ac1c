"""Every metric, once: its name, its labels, what it means and what to do when it moves."""

from __future__ import annotations
