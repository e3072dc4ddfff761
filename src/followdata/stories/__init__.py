"""One folder a story. None of them knows another."""
