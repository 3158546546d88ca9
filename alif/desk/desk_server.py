"""Serve the desk: an address of this machine, TLS elsewhere, a one-time link for whoever starts it."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
from collections.abc import Callable, Mapping
from pathlib import Path

import uvicorn

from alif import store
from alif.desk.desk_app import build_app
from alif.desk.office import Office, open_office
from alif.desk.people import make_invite
from alif.errors import AlifError
from alif.runs import Run
from alif.settings import Recipe

__all__ = ["serve_desk", "server_config"]

CLOSE_WAIT_S = 1
"""How long answers under way are waited for at the end."""


def serve_desk(
    run: Run,
    recipe: Recipe,
    announce: Callable[[Mapping[str, str]], None],
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    database: str = "",
    certificate: Path | None = None,
    key: Path | None = None,
    insecure_lan: bool = False,
) -> None:
    """Serve a run's desk until Ctrl-C; `announce` is told its address and a one-time link for an admin.

    Raises:
        AlifError: beyond this machine without TLS, an address that is taken, a database that does not open.
    """
    if bool(certificate) != bool(key):
        raise AlifError("TLS needs a certificate and its key", "--certificate FILE --key FILE")
    for path in (certificate, key):
        if path and not path.is_file():
            raise AlifError(f"{path}: no such file", "--certificate and --key name PEM files.")
    is_insecure = not certificate and not _is_loopback(host)
    if is_insecure and not insecure_lan:
        hint = "Give --certificate and --key (PEM files); or, in a network that you trust, --insecure-lan."
        raise AlifError(f"passwords would travel in the clear to {host}", hint)
    with _listen(host, port) as listening, store.friendly_os_errors(run.root):
        office = open_office(run, recipe, database, is_insecure=is_insecure)
        try:
            token = make_invite(office.db, "admin", from_console=True)
            name = f"[{host}]" if ":" in host else host
            address = f"{'https' if certificate else 'http'}://{name}:{listening.getsockname()[1]}"
            announce({"run": run.name, "address": address, "link": f"{address}/invite/{token}"})
            with contextlib.suppress(KeyboardInterrupt):
                uvicorn.Server(server_config(office, certificate, key)).run(sockets=[listening])
        finally:
            office.exchange.close()
            office.db.close()


def server_config(office: Office, certificate: Path | None = None, key: Path | None = None) -> uvicorn.Config:
    """Return how the desk is served; the addresses of invites are secrets, so there is no access log."""
    return uvicorn.Config(
        build_app(office),
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,  # else a stranger could choose the address that logins are throttled by
        ws="none",
        timeout_graceful_shutdown=CLOSE_WAIT_S,
        ssl_certfile=certificate,
        ssl_keyfile=key,
    )


def _listen(host: str, port: int) -> socket.socket:
    """Return a socket that takes connections from now on, so that the address works once it is told."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family)
    except OSError as error:
        hint = "Another --port, or 0: a free one."
        raise AlifError(f"{host}:{port}: {error.strerror or error}", hint) from error


def _is_loopback(host: str) -> bool:
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"
