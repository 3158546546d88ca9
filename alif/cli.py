"""The command line: which function is which command, exit codes, Ctrl-C. Docstrings are the help.

Exit codes: 0 done, 1 something that you can mend, 2 usage, 3 waiting for people, 4 cost cap, 130 stopped by
Ctrl-C, 143 by SIGTERM, 129 by SIGHUP.
"""

from __future__ import annotations

import _thread
import errno
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from types import FrameType

from cyclopts import App, CycloptsError, Group

from alif import console, store
from alif.commands import (
    ablation,
    bases,
    evaluation,
    later_benchmark,
    listing,
    money,
    new,
    plan,
    publish_command,
    recipe_check,
    results,
    rows,
    shipping,
    status,
    steps,
    unread,
)
from alif.commands.benchmark_commands import BENCHMARK_COMMANDS
from alif.commands.campaign_command import freeze_plan
from alif.commands.desk_command import open_desk
from alif.errors import AlifError
from alif.pipeline import EVALUATE, EXPORT, GENERATE, PIPELINE

STEPS = Group("Steps, each with the steps that it needs", sort_key=2)
COMMANDS: dict[str, Callable[..., None]] = {
    "ls": listing.list_all,
    "new": new.copy_recipe,
    "check": recipe_check.check_recipe,
    "plan": plan.plan_recipe,
    "bases": bases.compare_bases,
    "ping": money.ping_recipe,
    "estimate": money.estimate_recipe,
    "run": steps.run_recipe,
    "ablate": ablation.ablate_recipe,
    "status": status.show_status,
    "batches": money.show_batches,
    "settle": money.settle_run,
    "show": rows.show_rows,
    "unread": unread.show_unread,
    "decontaminate": later_benchmark.check_later_benchmark,
    "desk": open_desk,
    "campaign": freeze_plan,
    "report": results.write_report,
    "export-data": results.export_data,
    "chat": results.chat_with_run,
    "serve": results.serve_run,
    "merge-adapter": shipping.merge_adapter,
    "publish": publish_command.publish_run,
}
STEP_COMMANDS: dict[str, Callable[..., None]] = {
    GENERATE.name: steps.generate_rows,
    EVALUATE.name: evaluation.evaluate_run,
    EXPORT.name: shipping.export_run,
}
"""Steps whose command has options of its own."""
RENAMED = {
    "check --live": "alif ping RECIPE",
    "check --rehearse": "alif estimate RECIPE -n 20",
    "check --gpu": "alif plan RECIPE --gpu h200",
    "release": "alif settle RUN",
    "serve --with": "alif serve RUN --server PROGRAM",
}
"""Commands and flags of the last release, answered with what took their place."""
OUTPUT_ERRORS = (errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.EBADF)
"""What writing to standard output may meet: a full disk, a terminal that has gone."""
CTRL_C = 130
"""Exit code, as in shells: 128 and the signal's number."""

app = App(
    name="alif",
    help="Take an open language model to your own language.",
    help_format="plaintext",
    suppress_keyboard_interrupt=False,  # `run_command` says how to continue
)
for _name, _function in COMMANDS.items():
    app.command(_function, name=_name)
app.command(BENCHMARK_COMMANDS)
for _place, _step in enumerate(PIPELINE):
    _command = STEP_COMMANDS.get(_step.name) or steps.step_command(_step)
    app.command(_command, name=_step.name, group=STEPS, sort_key=_place)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; the package's entry point."""

    def repeat_ctrl_c(lost: sys.UnraisableHookArgs) -> None:
        if issubclass(lost.exc_type, KeyboardInterrupt):  # swallowed by Python in a library's `__del__`
            threading.Timer(0.05, _thread.interrupt_main).start()
        else:
            sys.__unraisablehook__(lost)

    sys.unraisablehook = repeat_ctrl_c
    console.prepare_output()
    received = _stop_as_ctrl_c()
    code = run_command(sys.argv[1:] if arguments is None else arguments)
    sys.exit(128 + received[0] if received and code == CTRL_C else code)


def _stop_as_ctrl_c() -> list[int]:
    """Let SIGTERM and SIGHUP stop the command as Ctrl-C does: replies on their way are waited for.

    Docker, systemd and Slurm send the first, a terminal that is closed the second; `nohup` keeps ignoring it.
    Returns the list that the numbers of received signals are added to.
    """
    received: list[int] = []

    def stop(number: int, frame: FrameType | None) -> None:
        received.append(number)
        signal.raise_signal(signal.SIGINT)

    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, stop)
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as a shell script starts commands with &
        signal.signal(signal.SIGINT, signal.default_int_handler)
    return received


def run_command(arguments: Sequence[str]) -> int:
    """Run one command; return its exit code."""
    command, *flags = arguments or [""]
    for old in (command, *(f"{command} {flag.partition('=')[0]}" for flag in flags)):
        if old in RENAMED:
            console.log(f"alif {old} has another name now: {RENAMED[old]}", style="bold red")
            return 2
    try:
        app(arguments, exit_on_error=False, result_action="return_value")
        console.flush()
    except CycloptsError:
        return 2  # cyclopts has printed what was wrong
    except AlifError as error:
        console.log(error.message, style="bold red")
        if error.hint:
            console.log(error.hint)
        return error.exit_code
    except KeyboardInterrupt:
        console.log("Stopped. Repeat the command: it continues where it stopped.")
        return CTRL_C
    except BrokenPipeError:  # the reader of our output has gone, as in `alif ls | head`
        console.discard(sys.stdout)
    except OSError as error:
        if error.filename is None and error.errno in OUTPUT_ERRORS:
            console.discard(sys.stdout)
            told = f"The output cannot be written: {os.strerror(error.errno)}."
        elif why := store.explain_os_error(error):
            told = f"{error.filename}: {why}" if error.filename else f"{why[0].upper()}{why[1:]}."
        else:
            raise
        console.log(told, style="bold red")
        return 1
    return 0
