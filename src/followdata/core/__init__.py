"""Mathematics on arrays: no I/O, no clock, no global state."""
