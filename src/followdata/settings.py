"""What can be set from outside, read in one place."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

HOME_VARIABLE = "FOLLOWDATA_HOME"


@dataclass(frozen=True)
class Settings:
    """`home` is the data directory; nothing is made there before something is stored."""

    home: Path

    @classmethod
    def from_environment(cls) -> Settings:
        """`FOLLOWDATA_HOME`, else the place this system keeps its users' data."""
        home = os.environ.get(HOME_VARIABLE)
        if home:
            return cls(Path(home).expanduser())
        from platformdirs import user_data_path

        return cls(user_data_path("followdata", appauthor=False))
