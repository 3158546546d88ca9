"""A provider on loopback for tests: three protocols, files and batches, and every fault that a real one has.

with serve_provider(reply_function, InjectedFaults(error=0.1)) as server: ... server.address, server.served
"""

from tests.fake_provider.batches import BatchFaults, FakeBatches, ServedRequest
from tests.fake_provider.faults import InjectedFaults
from tests.fake_provider.server import FakeProvider, serve_provider

__all__ = ["BatchFaults", "FakeBatches", "FakeProvider", "InjectedFaults", "ServedRequest", "serve_provider"]
