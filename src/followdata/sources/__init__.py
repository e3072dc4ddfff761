"""Everything that touches the network or a provider's files, one module a provider."""
