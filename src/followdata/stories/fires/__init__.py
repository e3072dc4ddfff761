"""Where schools burn, how often, and what goes along with it."""
