"""Contracts and helpers for tests of sources and stories, ours and other people's.

from followdata.testing import StoryContract

class TestMyStory(StoryContract):
    story = "mine"
"""

from followdata.testing.contract import StoryContract

__all__ = ["StoryContract"]
