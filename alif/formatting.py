"""Money and time as people read them in reports and on the screen: `$0.0312`, `3 min 20 s`."""

from __future__ import annotations

from decimal import Decimal

__all__ = ["MINUS", "format_change", "format_duration", "format_usd"]

MINUS = "\u2212"


def format_usd(usd: float) -> str:
    """Format money to the cent, and with three significant digits where that is finer.

    Example:
        >>> [format_usd(usd) for usd in (0, 0.00077512, 0.0312, 0.5, 1234.5)]
        ['$0', '$0.000775', '$0.0312', '$0.50', '$1,234.50']
    """
    if not usd:
        return "$0"
    places = -int(Decimal(f"{usd:.3g}").as_tuple().exponent)
    return f"${usd:,.{max(2, places)}f}"


def format_duration(seconds: float) -> str:
    """Format a duration in seconds, minutes or hours; a zero remainder is left out.

    Example:
        >>> [format_duration(seconds) for seconds in (0.42, 200, 600, 7500)]
        ['0.4 s', '3 min 20 s', '10 min', '2 h 05 min']
    """
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02d} min" if minutes else f"{hours} h"
    return f"{minutes} min {rest:02d} s" if rest else f"{minutes} min"


def format_change(change: float, before: float) -> str:
    """Format a change as a signed percentage of `before`: `−24.8 %`, `+0.4 %`."""
    return f"{100 * change / before if before else 0.0:+.1f} %".replace("-", MINUS)
