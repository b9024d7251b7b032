"""A phone whose clock is three hours fast: nobody is refused for it, and it gains nothing."""

from __future__ import annotations

import time

from tests.browser.chrome import clock_ahead
from tests.browser.conftest import NewPhone
from tests.browser.flows import check_in, enrol, invite, said, sent
from tests.browser.site import DEMO, Site

WORKER = "吴快钟"
MINUTE_MS = 60_000


def test_M7_a_clock_three_hours_fast_gains_nothing_and_is_told(site: Site, new_phone: NewPhone) -> None:
    phone = new_phone("fast", before=[clock_ahead(3)])
    enrol(phone, invite(site, "--project", DEMO, "--role", "worker"), WORKER)
    check_in(phone)
    sent(phone)

    body = "SELECT json_extract(body, '$.born[4]'), json_extract(body, '$.set.device_skew_ms') FROM record"
    mine = " WHERE c = 'labour.checkin' AND json_extract(body, '$.by') IN (SELECT id FROM person WHERE name = ?)"
    ((effective, skew),) = site.rows(body + mine, WORKER)
    now = time.time_ns() // 1_000_000
    assert now - 2 * MINUTE_MS < effective <= now, "the effective time is the server's"
    assert abs(abs(skew) - 180 * MINUTE_MS) < 2 * MINUTE_MS, "the clock's error is kept with the entry"

    phone.open("/settings")
    phone.sees(said(phone, "settings.clock_fast"))
