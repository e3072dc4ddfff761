"""Contracts and helpers for tests of sources and stories, ours and other people's."""
