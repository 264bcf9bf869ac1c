"""The laws mutants have to break: `make mutation`; what that found is in docs/mutation.md."""
