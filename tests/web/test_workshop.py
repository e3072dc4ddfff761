"""Few answers at once, the same one only once, and nobody waits without end."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from followdata.errors import Busy, InvalidParameter
from followdata.web.bodies import Body, Kept
from followdata.web.workshop import Workshop


class Made:
    """Bodies that are made slowly, counted."""

    def __init__(self, seconds: float = 0.05) -> None:
        self.seconds, self.calls, self.at_once, self.most = seconds, 0, 0, 0
        self._lock = threading.Lock()

    def __call__(self) -> Body:
        with self._lock:
            self.calls += 1
            self.at_once += 1
            self.most = max(self.most, self.at_once)
        time.sleep(self.seconds)
        with self._lock:
            self.at_once -= 1
        return Body(b"made", "text/plain")


def run(work: Callable[[], Any]) -> Any:
    # In a thread of its own: the browser of other tests has a loop running in this one.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work()).result()


def test_the_same_answer_is_made_once_for_all_who_ask() -> None:
    made, shop = Made(), Workshop(Kept())

    async def ask() -> None:
        bodies = await asyncio.gather(*(shop.body("key", made) for _ in range(20)))
        assert {body.content for body in bodies} == {b"made"}
        await shop.body("key", made)

    run(ask)
    assert made.calls == 1


def test_those_with_other_rights_do_not_share() -> None:
    made, shop = Made(), Workshop(Kept())

    async def ask() -> None:
        await asyncio.gather(*(shop.body("key", made, asker=right) for right in (True, False)))

    run(ask)
    assert made.calls == 2


def test_only_so_many_at_once_and_so_many_in_the_queue() -> None:
    made, shop = Made(), Workshop(Kept(), at_once=2, most_waiting=3)

    async def ask() -> list[Any]:
        asked = (shop.body(number, made) for number in range(9))
        return await asyncio.gather(*asked, return_exceptions=True)

    told = run(ask)
    assert made.most == 2
    assert [isinstance(one, Busy) for one in told] == [False] * 5 + [True] * 4
    assert "2 seconds" in str(told[-1])


def test_what_takes_too_long_goes_on_and_is_kept() -> None:
    made, shop = Made(0.3), Workshop(Kept(), patience=0.05)

    async def ask() -> None:
        with pytest.raises(Busy, match="longer than a page can wait"):
            await shop.body("key", made)
        await asyncio.sleep(0.5)
        assert (await shop.body("key", made)).content == b"made"

    run(ask)
    assert made.calls == 1


def test_what_is_kept_is_given_while_all_places_are_taken() -> None:
    made, shop = Made(0.3), Workshop(Kept(), at_once=1, most_waiting=0)

    async def ask() -> None:
        await shop.body("kept", Made(0))
        slow = asyncio.create_task(shop.body("slow", made))
        await asyncio.sleep(0.05)
        assert (await shop.body("kept", made)).content == b"made"
        with pytest.raises(Busy):
            await shop.body("another", made)
        await slow

    run(ask)


def test_errors_are_those_of_the_work_and_are_not_kept() -> None:
    def fail() -> Body:
        raise InvalidParameter("x", "no.")

    shop = Workshop(Kept())

    async def ask() -> None:
        for _ in range(2):
            with pytest.raises(InvalidParameter):
                await shop.body("key", fail)
        assert (await shop.body("key", Made(0))).content == b"made"

    run(ask)
