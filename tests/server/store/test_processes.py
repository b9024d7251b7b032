"""Processes of our own: what one of them does to itself keeps nobody else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import psutil
import pytest

from server.store import processes
from server.store.processes import Failed, Processes

ECHO = "tests.server.store.echo"


@pytest.fixture
async def one() -> AsyncIterator[Processes]:
    one = Processes(ECHO)
    yield one
    await one.close()


async def gone(pid: int) -> None:
    """Ended, and asked how it ended: not even a shadow of it stays."""
    async with asyncio.timeout(10):
        while psutil.pid_exists(pid):  # noqa: ASYNC110  nobody else knows
            await asyncio.sleep(0)


async def test_the_same_process_answers_until_it_is_renewed() -> None:
    some = Processes(ECHO, each=2)
    pids = [(await some.ask(n))[0] for n in range(3)]
    assert pids[0] == pids[1] != pids[2]
    await gone(pids[0])
    await some.close()
    await gone(pids[2])


@pytest.mark.parametrize("fault", ["die", "babble"])
async def test_one_that_fails_is_replaced(one: Processes, fault: str) -> None:
    first, said = await one.ask("地下室")
    assert said == "地下室"
    with pytest.raises(Failed):
        await one.ask(fault)
    again, said = await one.ask("地下室")
    assert (said, again != first) == ("地下室", True)
    await gone(first)


async def test_one_that_hangs_is_ended(one: Processes, monkeypatch: pytest.MonkeyPatch) -> None:
    first, _ = await one.ask(1)
    monkeypatch.setattr(processes, "TIME_S_MAX", 0.2)
    with pytest.raises(Failed):
        await one.ask("hang")
    await gone(first)


async def test_who_asks_while_another_has_it_waits_for_his_turn(one: Processes) -> None:
    answers = await asyncio.gather(*(one.ask(n) for n in range(20)))
    assert [said for _, said in answers] == list(range(20))
    assert len({pid for pid, _ in answers}) == 1


async def test_one_that_nobody_needs_goes() -> None:
    some = Processes(ECHO, idle_s_max=0.05)
    first, _ = await some.ask(1)
    await gone(first)
    assert (await some.ask(2))[1] == 2
    await some.close()


async def test_a_machine_that_can_begin_no_process_is_told(one: Processes, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(*_: object, **__: object) -> None:
        raise BlockingIOError("no more processes")

    with monkeypatch.context() as patched:
        patched.setattr(asyncio, "create_subprocess_exec", full)
        with pytest.raises(Failed, match="BlockingIOError"):
            await one.ask(1)
    assert (await one.ask(1))[1] == 1
