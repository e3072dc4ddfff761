"""Every story of ours keeps the contract; a new one needs no change here."""

from __future__ import annotations

from followdata.registry import Registry
from followdata.testing import StoryContract

for _name in Registry.installed():
    globals()[f"Test{_name.capitalize()}"] = type(
        f"Test{_name.capitalize()}", (StoryContract,), {"story": _name, "__module__": __name__}
    )
