"""Power cuts in a short demo: what is on the disk afterwards, and whether the same command resumes the run.

    sudo python benchmarks/power_cut.py [--moments 30] [--seed 1] [--json benchmarks/results/power_cut.json]

The run writes to an ext4 file system in an image on a loop device (Linux, root). At each moment the run is
stopped and the image is copied while it is mounted: the copy holds what had reached the disk, as after a
power cut. It is then mounted, checked against an undisturbed run, and the same command is run there. Half of
the moments are random times up to 0.3 s after a step was finished, the others any time until 5 s after the
end.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import measure

SHORT = (
    "generate.target_rows=28", "generate.requests_per_round=4", "translate.rows=8", "replay.rows=8",
    "corpus.max_documents=16", "tiny.vocabulary=400", "tiny.width=32", "tiny.feed_forward=64",
    "tiny.epochs=1", "pretrain.epochs=1", "finetune.epochs=1", "finetune.max_seq_length=256",
    "runtime.checkpoint_steps=2", "evaluate.questions=8", "evaluate.max_new_tokens=8",
    "evaluate.bootstrap_samples=50",
)  # fmt: skip
"""Recipe settings that shorten the demo."""
SIZE = 160 * 2**20
SOON_S, LATE_S = 0.3, 5.0
ROOT = Path("runs", "demo")
DERIVED = ("step.json", "README.md")
"""Files outside runtime/ that contain times, so that two equal runs differ in them."""


@contextlib.contextmanager
def mounted(image: Path) -> Iterator[Path]:
    """Mount an image during the block; yield the folder."""
    folder = image.with_suffix(".mounted")
    folder.mkdir()
    subprocess.run(["mount", "-o", "loop", image, folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)
        folder.rmdir()


def command() -> list[str]:
    """Return the command line of the short demo."""
    return [
        sys.executable,
        "-m",
        "alif",
        "run",
        "demo",
        *(part for line in SHORT for part in ("--set", line)),
    ]


def contents(place: Path) -> dict[str, str]:
    """Return the SHA-256 of each file of the finished steps that is equal in equal runs, by step/name."""
    steps = [path.parent for path in sorted((place / ROOT).glob("*/step.json"))]
    files = [
        path
        for step in steps
        for path in sorted(step.rglob("*"))
        if path.is_file() and path.name not in DERIVED
    ]
    return {
        str(path.relative_to(place / ROOT)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files
    }


def reported_done(place: Path) -> set[str]:
    """Return the steps that the run reports as done; the note that says so is written after their folder."""
    found = set()
    for path in (place / ROOT / "runtime").glob("*/state.json"):
        with contextlib.suppress(OSError, ValueError):  # being replaced at this moment
            if json.loads(path.read_text(encoding="utf-8"))["state"] == "done":
                found.add(path.parent.name)
    return {step for step in found if (place / ROOT / step / "step.json").is_file()}


def copy_image(image: Path, target: Path) -> None:
    """Copy a mounted image; repeat the copy if the kernel wrote to the image meanwhile."""
    losetup = subprocess.run(
        ["losetup", "--associated", image, "--noheadings", "--output", "NAME"],
        capture_output=True,
        check=True,
    )
    counters = Path("/sys/block", Path(losetup.stdout.decode().strip()).name, "stat")
    while True:
        before = counters.read_text(encoding="utf-8")
        subprocess.run(["cp", "--sparse=always", image, target], check=True)
        if counters.read_text(encoding="utf-8") == before:
            return


def simulate_cuts(image: Path, moments: int, seed: int, seconds: float, folder: Path) -> list[dict[str, Any]]:
    """Run the demo on the image's file system, copy the image at `moments` moments, and describe each."""
    rng = random.Random(seed)
    at_any_time = sorted(rng.uniform(0.5, seconds + LATE_S) for _ in range(moments - moments // 2))
    after_steps: list[float] = []
    taken: list[dict[str, Any]] = []
    with mounted(image) as place, tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command(), cwd=place, stdout=log, stderr=log)
        began, stopped, known, ended = time.monotonic(), 0.0, set[str](), False
        while len(taken) < moments and (at_any_time or after_steps or not ended):
            now = time.monotonic() - began - stopped
            ended = ended or process.poll() is not None
            for step in sorted(steps := {path.parent.name for path in (place / ROOT).glob("*/step.json")}):
                if step not in known and moments - len(taken) - len(at_any_time) > len(after_steps):
                    after_steps.append(now + rng.uniform(0, SOON_S))
            known |= steps
            due = [times for times in (at_any_time, after_steps) if times and min(times) <= now]
            if not due:
                time.sleep(0.005)
                continue
            due[0].remove(min(due[0]))
            if not ended:
                process.send_signal(signal.SIGSTOP)
            paused = time.monotonic()
            reported = sorted(reported_done(place))
            copy_image(image, folder / f"{len(taken)}.img")
            taken.append({"at_s": round(now, 2), "run_ended": ended, "steps_reported_done": reported})
            stopped += time.monotonic() - paused
            if not ended:
                process.send_signal(signal.SIGCONT)
        if process.wait():
            log.seek(0)
            sys.exit(log.read().decode())
    return taken


def check_image(image: Path, reported: list[str], undisturbed: dict[str, str]) -> dict[str, Any]:
    """Mount an image, compare its finished steps with the undisturbed run, and run the command again."""
    with mounted(image) as place:
        steps = sorted(path.parent.name for path in (place / ROOT).glob("*/step.json"))
        found = contents(place)
        expected = {name: digest for name, digest in undisturbed.items() if name.split("/")[0] in steps}
        checkpoints = sorted(
            str(path.relative_to(place / ROOT / "runtime"))
            for path in (place / ROOT).glob("runtime/*/checkpoints/step-*")
        )
        again = subprocess.run(command(), cwd=place, capture_output=True, text=True, check=False)
        message = again.stderr.strip().splitlines()
        return {
            "steps_done": len(steps),
            "steps_lost": sorted(set(reported) - set(steps)),
            "damaged": sorted(name for name, digest in expected.items() if found.get(name) != digest),
            "checkpoints": checkpoints,
            "exit_code": again.returncode,
            "equal": again.returncode == 0 and contents(place) == undisturbed,
            **({"message": message[-2:]} if again.returncode else {}),
        }


def main() -> None:
    """Run the undisturbed demo and the one with power cuts, and write the result."""
    parser = measure.arguments(__doc__, "power_cut")
    parser.add_argument("--moments", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if not (
        sys.platform == "linux"
        and os.geteuid() == 0
        and shutil.which("mkfs.ext4")
        and shutil.which("losetup")
    ):
        sys.exit("Mounting an ext4 image needs Linux, root, and the packages e2fsprogs and mount")
    with tempfile.TemporaryDirectory() as name:
        folder, began = Path(name), time.monotonic()
        calm = folder / "calm"
        calm.mkdir()
        subprocess.run(command(), cwd=calm, capture_output=True, check=True)
        seconds, undisturbed = time.monotonic() - began, contents(calm)
        image = folder / "disk.img"
        with image.open("wb") as file:
            file.truncate(SIZE)
        subprocess.run(["mkfs.ext4", "-q", "-F", image], check=True)
        moments = []
        cuts = simulate_cuts(image, options.moments, options.seed, seconds, folder)
        for number, moment in enumerate(cuts):
            copied = folder / f"{number}.img"
            moments.append(moment | check_image(copied, moment["steps_reported_done"], undisturbed))
            copied.unlink()
            print(moments[-1], file=sys.stderr, flush=True)
    summary = {
        "moments": len(moments),
        "with_a_damaged_step": sum(bool(moment["damaged"]) for moment in moments),
        "with_a_lost_step": sum(bool(moment["steps_lost"]) for moment in moments),
        "with_checkpoints": sum(bool(moment["checkpoints"]) for moment in moments),
        "went_on_to_equal_bytes": sum(moment["equal"] for moment in moments),
    }
    measured = {
        "file_system": "ext4, mount's defaults",
        "run_s": round(seconds, 1),
        **summary,
        "each": moments,
    }
    measure.write(options.json, measure.result("power_cut", measured))
    print(json.dumps(summary, indent=2))


if __name__ == "__main__":
    main()
