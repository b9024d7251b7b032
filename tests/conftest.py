"""What every Python test shares: hypothesis without a stop-watch, seeds that are always printed, logging put back."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from server.web import log

settings.register_profile("gongbu", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("gongbu")


@pytest.fixture(autouse=True)
def logging_put_back() -> Iterator[None]:
    """A test that runs `gongbu serve` in this process starts the log; the next test's stderr is another one."""
    yield
    log.QUICK.clear()
    root = logging.getLogger()
    for handler in root.handlers[:]:
        if isinstance(handler.formatter, log.OneLine):
            root.removeHandler(handler)
