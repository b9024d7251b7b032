"""How many failed tries a name or an address has left. In memory, bounded, for one process.

A try is taken before the answer is known and given back when it succeeds, so that many at once
cannot slip past and a success costs nothing. Tries come back one by one with time.
"""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final

KEYS_MAX: Final = 10_000


@dataclass
class Tries:
    """`most` failures in a row, then one more each `each_s` seconds."""

    most: int
    each_s: float
    keys_max: int = KEYS_MAX
    spent: OrderedDict[str, tuple[float, float]] = field(default_factory=OrderedDict)

    def take(self, key: str, now_s: float) -> float:
        """0 when the try is allowed, else the seconds to wait for the next one."""
        used = self._used(key, now_s)
        is_allowed = used + 1 <= self.most
        # Kept at a refusal too: after a clock set back the tries come back from the time that it says.
        self._keep(key, used + is_allowed, now_s)
        return 0 if is_allowed else (used + 1 - self.most) * self.each_s

    def give_back(self, key: str, now_s: float) -> None:
        """The try succeeded (or never took place)."""
        self._keep(key, max(0.0, self._used(key, now_s) - 1), now_s)

    def _used(self, key: str, now_s: float) -> float:
        used, at = self.spent.get(key, (0.0, now_s))
        return max(0.0, used - max(0.0, now_s - at) / self.each_s)

    def _keep(self, key: str, used: float, now_s: float) -> None:
        self.spent.pop(key, None)
        if used > 0:
            self.spent[key] = (used, now_s)
        while len(self.spent) > self.keys_max:
            self.spent.popitem(last=False)


def address_key(address: str) -> str:
    """One key for one household: an IPv4 address, or the /64 of an IPv6 one."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(ip, ipaddress.IPv6Address):
        mapped = ip.ipv4_mapped
        return str(mapped) if mapped else str(ipaddress.ip_network((ip, 64), strict=False))
    return str(ip)
