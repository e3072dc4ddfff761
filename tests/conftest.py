from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from hypothesis import HealthCheck, settings

from followdata.desk import Desk
from followdata.registry import Registry
from followdata.settings import HOME_VARIABLE
from followdata.store import Store


def _refuse(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("no network in tests", request=request)


# How long an example takes says more of what else the machine does than of the code.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

NO_NETWORK = httpx.MockTransport(_refuse)
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--live", action="store_true", help="ask the providers' real APIs")
    parser.addoption("--overwrite", action="store_true", help="remake the stored golden answers")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--live"):
        skip = pytest.mark.skip(reason="asks a real API; use --live")
        for item in items:
            if "live" in item.keywords:
                item.add_marker(skip)


@pytest.fixture(autouse=True)
def _no_real_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test can reach the data directory of whoever runs it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(HOME_VARIABLE, str(tmp_path_factory.mktemp("home")))
        yield


@pytest.fixture
def home() -> Path:
    """The data directory of this test."""
    return Path(os.environ[HOME_VARIABLE])


@pytest.fixture
def desk(home: Path) -> Desk:
    """A desk with all stories on an empty data directory, at noon on 2026-11-22 UTC.

    It has no network.
    """
    return Desk(Registry.installed(), Store(home), clock=lambda: NOON, transport=NO_NETWORK)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The directory with real data; FOLLOWDATA_SHARED, else ../shared beside the project."""
    default = Path(__file__).parents[2] / "shared"
    path = Path(os.environ.get("FOLLOWDATA_SHARED", default))
    if not (path / "data").is_dir():
        pytest.skip(f"NO REAL DATA: {path} is not there; set FOLLOWDATA_SHARED to test on it")
    return path
