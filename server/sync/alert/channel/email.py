"""E-mail over SMTP: `smtp://user@host:587` (STARTTLS where offered) or `smtps://user@host:465`.

The password is the target's secret. The name is resolved and checked as for any other address.
"""

from __future__ import annotations

import asyncio
import socket
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Final
from urllib.parse import unquote, urlsplit

from server.sync.alert.address import NotAllowed, Wire, is_public, resolve
from server.sync.alert.notice import SENT, Notice, Target, Told

TIMEOUT_S: Final = 20
PORTS: Final = {"smtp": 587, "smtps": 465}
PASSING: Final = range(400, 500)  # SMTP: try again later


async def send(wire: Wire, target: Target, notice: Notice, now_ms: int) -> Told:
    parts = urlsplit(target.url)
    host, port = parts.hostname or "", parts.port or PORTS.get(parts.scheme, 0)
    if parts.scheme not in PORTS or not (wire.private or is_public(host)):
        raise NotAllowed("not a mail server that may be asked")
    import aiosmtplib

    user = unquote(parts.username or "")
    try:
        async with asyncio.timeout(TIMEOUT_S):  # all of it; the library's is for each line
            await aiosmtplib.send(
                letter(target, notice, user or f"gongbu@{host}", now_ms),
                hostname=host,
                sock=await connected(host, port, private=wire.private),
                username=user or None,
                password=target.secret or None,
                use_tls=parts.scheme == "smtps",
                timeout=TIMEOUT_S,
            )
    except aiosmtplib.SMTPResponseException as error:
        return Told("later" if error.code in PASSING else "failed", f"smtp {error.code}")
    except aiosmtplib.SMTPException as error:
        raise OSError(f"{type(error).__name__}: {error}") from error
    return SENT


async def connected(host: str, port: int, *, private: bool) -> socket.socket:
    """To the address that was checked; the certificate is still asked for the name."""
    address = await resolve(host, port, private=private)
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setblocking(False)
    try:
        await asyncio.get_running_loop().sock_connect(sock, (address, port))
    except BaseException:
        sock.close()
        raise
    return sock


def letter(target: Target, notice: Notice, sender: str, now_ms: int) -> EmailMessage:
    mail = EmailMessage()
    mail["Subject"] = f"【{notice.site}】{notice.title}"
    mail["From"] = Address("工簿 Gongbu", addr_spec=sender)
    mail["To"] = [Address(addr_spec=one.strip()) for one in target.to.split(",") if one.strip()]
    mail["Date"] = format_datetime(datetime.fromtimestamp(now_ms / 1000, UTC))
    mail["Message-ID"] = f"<{notice.tag}.{notice.step}@gongbu>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(f"{notice.body}\n\n{notice.link}\n")
    return mail
