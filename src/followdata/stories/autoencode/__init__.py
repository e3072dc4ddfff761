"""The story of an autoencoder that learns."""
