"""Which host a key may be sent to: a recipe comes from somebody else, the environment is your own.

    OPENAI_API_KEY and the like       their own provider's hosts only
    any other variable                providers' hosts; another host once ALIF_KEY_HOSTS names the pair

So a recipe cannot have a variable of the environment sent to a host of its author's.
"""

from __future__ import annotations

import os
from urllib.parse import SplitResult

from alif.errors import RecipeError

__all__ = ["CONFIRMED", "check_key_goes_home"]

CONFIRMED = "ALIF_KEY_HOSTS"
"""Environment variable that allows more: "VARIABLE@HOST", separated by commas."""
AZURE = ("openai.azure.com", "cognitiveservices.azure.com", "services.ai.azure.com", "models.ai.azure.com")
OWN_HOSTS = {
    "OPENAI_API_KEY": ("openai.com", *AZURE),
    "AZURE_OPENAI_API_KEY": AZURE,
    "ANTHROPIC_API_KEY": ("anthropic.com",),
    "CEREBRAS_API_KEY": ("cerebras.ai",),
    "COHERE_API_KEY": ("cohere.com", "cohere.ai"),
    "DASHSCOPE_API_KEY": ("aliyuncs.com",),
    "DEEPINFRA_API_KEY": ("deepinfra.com",),
    "DEEPSEEK_API_KEY": ("deepseek.com",),
    "FIREWORKS_API_KEY": ("fireworks.ai",),
    "GEMINI_API_KEY": ("googleapis.com",),
    "GOOGLE_API_KEY": ("googleapis.com",),
    "GROQ_API_KEY": ("groq.com",),
    "HF_TOKEN": ("huggingface.co", "hf.space", "huggingface.cloud"),
    "MISTRAL_API_KEY": ("mistral.ai",),
    "MOONSHOT_API_KEY": ("moonshot.ai", "moonshot.cn"),
    "NEBIUS_API_KEY": ("nebius.com", "nebius.ai"),
    "NVIDIA_API_KEY": ("nvidia.com",),
    "OPENROUTER_API_KEY": ("openrouter.ai",),
    "PERPLEXITY_API_KEY": ("perplexity.ai",),
    "SAMBANOVA_API_KEY": ("sambanova.ai",),
    "TOGETHER_API_KEY": ("together.xyz", "together.ai"),
    "XAI_API_KEY": ("x.ai",),
    "ZHIPUAI_API_KEY": ("bigmodel.cn", "z.ai"),
}
"""The usual variables, and the domains that their keys are for."""
SHARED_DOMAINS = ("huggingface.cloud", "hf.space")
"""Domains below which anybody can open a host: only the pair with its own variable is taken for granted."""


def check_key_goes_home(key: str, address: SplitResult, variable: str, named: bool) -> None:
    """Refuse to send `variable` to the host of `address`, unless it is its own or was confirmed.

    `named` says that the recipe's table `key` names the variable.

    Raises:
        RecipeError: another provider's key, a host that nobody confirmed, or http:// across the network.
    """
    host = (address.hostname or "").casefold()
    if address.scheme != "https":
        raise RecipeError(
            f"{key}.base_url: the key from {variable} would go to {host} unencrypted, by http://",
            "Write https://, or reach the server through a tunnel to this machine.",
        )
    confirmed = {part.strip().casefold() for part in os.environ.get(CONFIRMED, "").split(",")}
    if f"{variable}@{host}".casefold() in confirmed:
        return
    if variable in OWN_HOSTS:
        if _is_below(host, OWN_HOSTS[variable]):
            return
    elif _is_below(host, [one for own in OWN_HOSTS.values() for one in own if one not in SHARED_DOMAINS]):
        return
    usual = next((name for name, own in OWN_HOSTS.items() if _is_below(host, own)), "")
    if usual:
        hint = f'The key of that host is usually in {usual}: {key}.api_key_env = "{usual}".'
    elif not named:
        hint = f'Name the variable that holds the key of that host: {key}.api_key_env = "NAME".'
    else:
        hint = f'If that host may have this key, say so once: export {CONFIRMED}="{variable}@{host}".'
    raise RecipeError(f"{key}: {variable} would be sent to {host}, which is not its own host", hint)


def _is_below(host: str, domains: tuple[str, ...] | list[str]) -> bool:
    return any(host == domain or host.endswith(f".{domain}") for domain in domains)
