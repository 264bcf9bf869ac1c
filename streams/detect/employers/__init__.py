"""What is known about an employer, and the rules about employers. See docs/rules.md, Employers."""
