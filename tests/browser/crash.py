"""Killing the browser in the middle: before the k-th thing it does, counted from the moment the test arms it.

The page counts each write to its database, each commit it hears of, and each exchange with the server, or only those
of one name. At the chosen one it calls the test, which kills the browser, and spins: nothing after that point can
happen.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Error

from tests.browser.chrome import Phone

COUNTING = """
(() => {
  let left = 0, wanted = null;
  const step = (what) => {
    if (left === 0 || (wanted !== null && wanted !== what) || --left > 0) return;
    window.__crash(what);
    for (;;) ;
  };
  window.__arm = ([at, what]) => { left = at; wanted = what; };
  for (const verb of ['put', 'add', 'delete', 'clear']) {
    const before = IDBObjectStore.prototype[verb];
    IDBObjectStore.prototype[verb] = function (...given) {
      step(`${verb} ${this.name}`);
      return before.apply(this, given);
    };
  }
  const transaction = IDBDatabase.prototype.transaction;
  IDBDatabase.prototype.transaction = function (...given) {
    const begun = transaction.apply(this, given);
    if (given[1] === 'readwrite') begun.addEventListener('complete', () => step('committed'));
    return begun;
  };
  const ask = window.fetch;
  window.fetch = async (...given) => {
    const url = String(given[0]?.url ?? given[0]);
    if (!url.includes('/api/push')) return ask(...given);
    step('about to send');
    const answer = await ask(...given);
    step('answer on its way');
    return answer;
  };
})();
"""


class Crash:
    """Give it to a phone before it is switched on; `arm` it before the deed."""

    def __init__(self, phone: Phone) -> None:
        self.phone = phone
        self.at: str | None = None
        phone.before.append(COUNTING)
        phone.bindings["__crash"] = self._now

    def arm(self, step: int, what: str | None = None) -> None:
        """At the step-th thing from now on; with a name, at the step-th of that name; 0: at none."""
        self.at = None
        self.phone.page.evaluate("armed => window.__arm(armed)", [step, what])

    def _now(self, _source: object, what: str) -> None:
        self.at = what
        self.phone.kill()

    @contextmanager
    def may_happen(self) -> Iterator[None]:
        """Whatever fails inside because the browser is dead is what was asked for; afterwards nothing is armed."""
        try:
            yield
            self.arm(0)
        except (Error, AssertionError):
            if not self.happened:
                raise

    @property
    def happened(self) -> bool:
        return self.at is not None
