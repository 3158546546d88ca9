"""Models that are asked through an API: one client for every role, with a ledger, a money cap and a limiter.

    session        opens a step's endpoints; start here
    client         one request to one endpoint, retried until it is answered
    batch/         lists of requests through a provider's batch API
    ledger         every request before it is sent, every reply for ever, in SQLite
    budget         the money cap
    limiter        adaptive concurrency
    endpoint       host, protocol and API key of an address
    protocol       request bodies; parse: raw replies
    http           HTTP by aiohttp; keepalive: which connections are reused
    provider_error what a failure means: retry, wait, or stop
    demo_server    the offline teacher

Only `http`, `keepalive` and `provider_error` load aiohttp.
"""

from alif.llm.chat_model import ChatModel, ChatRequest, Reply, ReplyFunction, ScriptedReply, gather_or_cancel
from alif.records import Message

__all__ = [
    "ChatModel",
    "ChatRequest",
    "Message",
    "Reply",
    "ReplyFunction",
    "ScriptedReply",
    "gather_or_cancel",
]
