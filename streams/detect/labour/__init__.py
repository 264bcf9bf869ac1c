"""The rules about employers' workers and about quotas, read from links. See docs/rules.md, Employers."""
