"""What each part of the brain switches on, and where one's own samples lie among it."""
