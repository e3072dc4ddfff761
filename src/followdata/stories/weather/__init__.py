"""How usual the temperature of a day is, by a daily record that goes back for generations."""
