"""What sets a town apart from all the others, by hundreds of official figures."""
