"""Where Firefox puts its notifications: a drawer of the test's own in the place of the desktop's.

Headless there is no desktop. Everything before it (push, decryption, service worker, permission) and everything
after a tap (the worker's event, the answer) is Firefox itself; a tap on a button comes as the desktop reports it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from tests.browser.fox import Fox

DRAWER = """
(() => {
  const tray = (globalThis.tray = new Map());
  globalThis.trayRang = [];
  const drawer = {
    QueryInterface: ChromeUtils.generateQI(["nsIAlertsService"]),
    showAlert(alert, listener) {
      tray.set(alert.name, {alert, listener});
      trayRang.push(alert.title + "\\n" + alert.text);
      listener?.observe(null, "alertshow", alert.cookie);
    },
    closeAlert(name) {
      const shown = tray.get(name);
      tray.delete(name);
      shown?.listener?.observe(null, "alertfinished", shown.alert.cookie);
    },
    getHistory: async () => [...tray.keys()],
    teardown() {},
    pbmTeardown() {},
  };
  Components.manager.QueryInterface(Ci.nsIComponentRegistrar).registerFactory(
    Services.uuid.generateUUID(), "", "@mozilla.org/alerts-service;1",
    {createInstance: (wanted) => drawer.QueryInterface(wanted), QueryInterface: ChromeUtils.generateQI(["nsIFactory"])},
  );
})()
"""
SHOWN = """
[...tray.values()].map(({alert}) => ({
  title: alert.title, text: alert.text, language: alert.lang, stays: alert.requireInteraction,
  actions: [...alert.actions].map(({action, title}) => [action, title]),
}))
"""
TAP = """
(() => {
  const {alert, listener} = [...tray.values()].find(({alert}) => alert.text.includes(%s));
  const action = %s;
  listener.observe(action ? alert.getAction(action) : null, "alertclickcallback", alert.cookie);
})()
"""


@dataclass
class Tray:
    fox: Fox

    def __post_init__(self) -> None:
        self.fox.inside(DRAWER)

    @property
    def shown(self) -> list[dict[str, Any]]:
        """What lies there now: title, text, language, whether it stays, the buttons."""
        found: list[dict[str, Any]] = self.fox.inside(SHOWN)
        return found

    @property
    def rang(self) -> list[str]:
        """Everything that ever came, also in the place of an earlier one."""
        found: list[str] = self.fox.inside("trayRang")
        return found

    def has(self, text: str) -> bool:
        return any(text in one["text"] for one in self.shown)

    def tap(self, text: str, action: str = "") -> None:
        """On the one that says this, or on its button."""
        self.fox.inside(TAP % (json.dumps(text), json.dumps(action)))


def is_asking(fox: Fox) -> bool:
    """Whether the browser's own question about notifications is on the screen."""
    return bool(fox.inside("PopupNotifications._currentNotifications.some(({id}) => id === 'web-notifications')"))


def allow(fox: Fox) -> None:
    """Yes to that question, by its button; it takes no tap in its first moment."""
    fox.until(lambda: is_asking(fox), "Firefox asks nothing")
    yes = "(PopupNotifications.panel.querySelector('popupnotification')?.button?.click(), 1)"
    fox.until(
        lambda: bool(fox.inside(yes)) and fox.run("Notification.permission") == "granted", "the yes does not count"
    )
