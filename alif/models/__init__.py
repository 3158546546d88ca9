"""Chat models: one door to every model that is asked, with a ledger, a money cap and a limiter behind it.

    chat       what is asked and what is answered
    client     open_models: the door itself
    asking     one request to one teacher, until it is answered
    faults     what a failure means: try again, wait, or stop
    reading    what a raw reply says
    ledger     every request before it is sent, every reply for ever
    budget     the money cap
    limiter    how many requests a provider bears at once
    address    which host a teacher lies at, and what is sent there
    scripted   the offline teacher, a server on loopback; chaos: how it misbehaves on purpose

Only `client`, `asking` and `faults` load openai; import them where they are used.
"""

from alif.models.chat import ChatModel, Message, Reply, Script, ScriptedReply, together

__all__ = ["ChatModel", "Message", "Reply", "Script", "ScriptedReply", "together"]
