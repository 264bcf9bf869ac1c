"""Whether a border system publishes as the contract says: scenarios it acts out against a sandbox, judged and reported."""
