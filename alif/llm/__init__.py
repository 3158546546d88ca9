"""Chat models: one door to every model that is asked, with a ledger, a money cap and a limiter behind it.

    chat       what is asked and what is answered
    client     open_models: the door itself
    asking     one request to one teacher, until it is answered
    batch      many requests at once through a provider's batch interface; counters: the two interfaces
               seen as one; settling: what came of it; batch_list: for the person who waits
    wire       the connection to a provider; protocol: what is written on it; reading: what a raw reply says
    faults     what a failure means: try again, wait, or stop
    ledger     every request before it is sent, every reply for ever; batch_book: its page of batches
    budget     the money cap
    limiter    how many requests a provider bears at once
    address    which host a teacher lies at, how it is spoken to, which key opens it
    server     a model folder served by vLLM or `transformers serve`, as a child process
    scripted   the offline teacher, a server on loopback; chaos: how it misbehaves on purpose

Only `wire` speaks HTTP, by aiohttp. Import it, `asking`, `batch` and `client` where they are used.
"""

from alif.llm.chat_model import ChatModel, Message, Reply, ReplyFunction, ScriptedReply, gather_or_cancel

__all__ = ["ChatModel", "Message", "Reply", "ReplyFunction", "ScriptedReply", "gather_or_cancel"]
