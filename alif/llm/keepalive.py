"""Reuse of HTTP connections, checked so that no response is taken for the response to another request.

HTTP/1.1 matches answers to requests by their order alone. A faulty server or proxy that sends an answer twice
shifts that order, and aiohttp hands the copy to the next request on the connection. Here a kept connection is
closed when

    bytes arrive while no request is in flight       `CheckedConnection.data_received`
    bytes lie unread when it is about to be reused   `CheckedConnector.connect`
    it brings a body that it has brought before      `CheckedResponse.read`: a late copy
    the answer is a refusal or empty                 `CheckedResponse.read`: a copy could not be told

Completions differ by the id that providers give them. A server without ids may repeat a body rightly: it is
asked again on a new connection, where every body is accepted.
"""

from __future__ import annotations

import asyncio
import functools
import select
import ssl
from collections.abc import Callable

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection
from aiohttp.tracing import Trace

__all__ = ["CheckedConnection", "CheckedConnector", "CheckedResponse", "OversizedBody", "RepeatedBody"]


class RepeatedBody(aiohttp.ClientPayloadError):
    """The body is one that the connection has brought before: the answer to an earlier request."""


class OversizedBody(aiohttp.ClientPayloadError):
    """The body is longer than any reply."""


class CheckedConnection(ResponseHandler):
    """A connection that knows whether a request is in flight and which bodies it has brought."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self.bodies: set[int] = set()
        """Their 64-bit hashes."""
        self.is_new = True
        self._in_flight = True

    def begin_request(self) -> None:
        """Expect an answer from now on."""
        self.is_new, self._in_flight = False, True

    def end_request(self) -> None:
        """Expect nothing from now on."""
        self._in_flight = False

    def data_received(self, data: bytes) -> None:
        """Parse what a request waits for; close the connection on anything else."""
        if self._in_flight or not data:  # aiohttp calls with b"" when it resumes reading
            super().data_received(data)
        else:
            self.close()

    def has_unread_data(self) -> bool:
        """Tell whether the socket holds unsolicited bytes, or the end of the stream."""
        if self.transport is None:
            return True
        descriptor: int = self.transport.get_extra_info("socket").fileno()
        if not hasattr(select, "poll"):  # Windows
            return bool(select.select([descriptor], [], [], 0)[0])
        poller = select.poll()  # select.select() refuses descriptors from 1,024 on
        poller.register(descriptor, select.POLLIN)
        return bool(poller.poll(0))


class CheckedConnector(aiohttp.TCPConnector):
    """A pool that reuses only connections without unsolicited data, and none where `reuse` is off."""

    def __init__(self, context: ssl.SSLContext, keepalive_timeout_s: float, *, reuse: bool = True) -> None:
        super().__init__(limit=0, keepalive_timeout=keepalive_timeout_s, ssl=context)
        new: Callable[[], ResponseHandler] = functools.partial(CheckedConnection, self._loop)
        self._factory = new  # type: ignore[assignment]  # aiohttp means a partial of ResponseHandler itself
        self.reuse = reuse

    async def connect(
        self, req: aiohttp.ClientRequest, traces: list[Trace], timeout: aiohttp.ClientTimeout
    ) -> Connection:
        """Return a new connection, or a kept one that is clean."""
        while True:
            connection = await super().connect(req, traces, timeout)
            kept = connection.protocol
            assert isinstance(kept, CheckedConnection)
            if kept.is_new or (self.reuse and not kept.should_close and not kept.has_unread_data()):
                break
            connection.close()
        kept.begin_request()
        connection.add_callback(kept.end_request)
        if not self.reuse:
            kept.force_close()
        return connection


class CheckedResponse(aiohttp.ClientResponse):
    """A response that still knows its connection when that is back in the pool."""

    longest_bytes = 32 * 2**20
    """Of the body: no reply is longer."""
    watch: Callable[[bytes], None] | None = None
    """Called with what has come of the body."""

    async def start(self, connection: Connection) -> aiohttp.ClientResponse:
        """Wait for status and headers."""
        self.arrived_on = connection.protocol
        return await super().start(connection)

    async def read(self) -> bytes:
        """Return the body, if it is not too long.

        Raises:
            OversizedBody: it is longer than `longest_bytes`.
            RepeatedBody: it answers an earlier request.
        """
        kept = self.arrived_on
        assert isinstance(kept, CheckedConnection)
        if self.status >= 400:
            kept.force_close()
        parts, size = list[bytes](), 0
        async for part in self.content.iter_any():
            parts.append(part)
            if self.watch:
                self.watch(b"".join(parts))
            if (size := size + len(part)) > self.longest_bytes:
                self.close()
                raise OversizedBody(f"a body of more than {self.longest_bytes / 2**20:.0f} MB")
        body = self._body = b"".join(parts)  # where aiohttp's own read would leave it
        if not body:
            kept.force_close()
        elif (found := hash(body)) in kept.bodies:
            kept.close()
            raise RepeatedBody("the connection has brought the same body before")
        else:
            kept.bodies.add(found)
        return body
