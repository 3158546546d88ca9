"""Two processes train what one trains, and go on from each other's checkpoints."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from alif import store
from alif.errors import AlifError, RecipeError
from alif.settings import Adapter, Language, Pretrain
from alif.train import checkpoints, launch
from tests.train.conftest import RUNTIME, House

STAGE = Pretrain(
    epochs=3.5,
    lr=3e-3,
    embedding_lr=1e-3,
    max_seq_length=128,
    batch_size=4,
    micro_batch_size=1,
    warmup_steps=3,
    eval_steps=4,
)
ADAPTER = Adapter(rank=4, alpha=8)


def run(house: House, gpus: int, stage: Pretrain = STAGE, **runtime):
    """Do stage 1; return its losses, gradient norms and looks, its adapter, and its facts."""
    context = house.context(
        "pretrain", "base", "corpus", runtime=RUNTIME.model_copy(update={"gpus": gpus, **runtime})
    )
    counts = launch.run_pretrain(context, language=Language(), adapter=ADAPTER, pretrain=stage)
    house.clear(context)
    context.output.__exit__()
    rows = [row for _, row in store.read_rows(context.scratch / "curve.jsonl")]
    return rows, load_file(context.folder / "adapter" / "adapter_model.safetensors"), counts


def alike(one, other):
    rows, weights, counts = one
    told, others, counted = other
    assert [(row["step"], row["tokens"], row["lr"]) for row in rows] == [
        (row["step"], row["tokens"], row["lr"]) for row in told
    ]
    for name in ("loss", "gradient_norm"):
        np.testing.assert_allclose([row[name] for row in rows], [row[name] for row in told], rtol=2e-4)
    looks = [[row.get("bits_per_byte") for row in found] for found in (rows, told)]
    assert [look and look.keys() for look in looks[0]] == [look and look.keys() for look in looks[1]]
    assert any(looks[0])
    for mine, theirs in zip(filter(None, looks[0]), filter(None, looks[1]), strict=True):
        np.testing.assert_allclose(list(mine.values()), list(theirs.values()), rtol=1e-3)
    assert weights.keys() == others.keys()
    for name, weight in weights.items():
        np.testing.assert_allclose(weight, others[name], atol=2e-4, err_msg=name)
    losses = {"first_loss": 0.0, "last_loss": 0.0}
    assert counts.model_copy(update=losses) == counted.model_copy(update=losses)


@pytest.fixture(scope="module")
def alone(built: Path, tmp_path_factory: pytest.TempPathFactory):
    root = tmp_path_factory.mktemp("alone")
    for name in ("corpus", "base"):
        (root / name).symlink_to(built / name)
    return run(House(root), 1)


@pytest.mark.parametrize("shard", [False, True])
def test_two_processes_train_what_one_trains(house, alone, shard):
    alike(run(house, 2, fsdp=shard), alone)
    assert not (house.root / "runtime" / "pretrain" / launch.FOLDER).exists()


def test_average_and_trimming_do_not_depend_on_how_many_train(house):
    stage = STAGE.model_copy(update={"ema_decay": 0.7, "embedding_keep_share": 0.5})
    shared = run(house, 2, stage, fsdp=True)
    single = run(house, 1, stage)
    assert shared[2].reverted == pytest.approx(single[2].reverted, rel=0.01) != 0
    reverted = {"reverted": 0}
    losses, weights, counts = shared
    # a weight at the limit may be kept by one alone, with its whole change
    for name, own in single[1].items():
        far = np.abs(own - weights[name]) > 2e-4
        assert far.mean() < 0.01, name
        weights[name] = np.where(far, own, weights[name])
    alike(
        (losses, weights, counts.model_copy(update=reverted)),
        (single[0], single[1], single[2].model_copy(update=reverted)),
    )


CHILD = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from train.conftest import House
from train.test_launch import run
run(House(Path(sys.argv[2])), int(sys.argv[3]), fsdp=sys.argv[4] == "True")
"""
TESTS = Path(__file__).resolve().parents[1]


def processes(folder: Path) -> list[str]:
    """Return the processes in whose command line `folder` stands."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            told = path.read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue  # it has ended meanwhile
        if str(folder) in told:
            found.append(told)
    return found


def kill(house: House, gpus: int, shard: bool) -> list[dict]:
    """Start stage 1, kill -9 its parent after a checkpoint, wait until all ended, and return the curve."""
    command = [sys.executable, "-c", CHILD, str(TESTS), str(house.root), str(gpus), str(shard)]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as child:
        folder = house.root / "runtime" / "pretrain" / checkpoints.FOLDER
        deadline = time.monotonic() + 120
        while not list(folder.glob("step-*")) and child.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        child.send_signal(signal.SIGKILL)
        _, said = child.communicate()
    assert child.returncode == -signal.SIGKILL, said.decode()
    while processes(house.root) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not processes(
        house.root
    )  # whoever was started has ended too: nobody writes beside the next command
    return [row for _, row in store.read_rows(house.root / "runtime" / "pretrain" / "curve.jsonl")]


@pytest.mark.parametrize(
    ("before", "after"),
    [((2, False), (1, False)), ((2, True), (1, False)), ((1, False), (2, True))],
    ids=["two copies, one", "shared out, one", "one, shared out"],
)
def test_killed_it_goes_on_with_another_number_of_processes(house, alone, before, after):
    curve = kill(house, *before)
    found = run(house, after[0], fsdp=after[1])
    alike(found, alone)
    assert (
        found[0][: RUNTIME.checkpoint_steps] == curve[: RUNTIME.checkpoint_steps]
    )  # not trained again: the same seconds


def test_a_failure_of_a_process_is_the_sentence_of_its_own(house):
    with pytest.raises(AlifError, match=r"pretrain.max_seq_length = 1000000, but tiny reads at most"):
        run(house, 2, STAGE.model_copy(update={"max_seq_length": 1_000_000}))
    assert (house.root / "runtime" / "pretrain" / launch.FOLDER / launch.FAILURE).is_file()


def test_a_stage_that_does_not_go_with_so_many_is_refused_before_any_begins(house):
    with pytest.raises(
        RecipeError, match=r"batch_size = 4 is not a multiple of micro_batch_size = 4 on 2 GPUs"
    ):
        run(house, 2, STAGE.model_copy(update={"micro_batch_size": 4}))
    assert not (house.root / "runtime" / "pretrain" / launch.FOLDER).exists()


def test_early_stop_is_decided_for_all(house):
    stage = STAGE.model_copy(
        update={"epochs": 6.0, "lr": 1e-30, "embedding_lr": 1e-30, "early_stopping_patience": 1}
    )  # nothing gets better
    rows, _, counts = run(house, 2, stage)
    assert counts.steps == rows[-1]["step"] < 12


def test_more_gpus_than_there_are_is_told(house, monkeypatch):
    monkeypatch.setattr(launch.torch.cuda, "device_count", lambda: 2)
    with pytest.raises(RecipeError, match=r"runtime.gpus = 8, but there are 2 here"):
        run(house, 8, device="auto")
