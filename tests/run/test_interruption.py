"""Real signals and a real full disk: whatever ends a run, running it again gives the undisturbed run's table, byte for byte."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from gnomon.run import journal
from gnomon.run.directory import RunDirectory

SCRIPT = Path(__file__).parent / "interruptible.py"


def start(path: Path, *options: str) -> "subprocess.Popen[str]":
    command = [sys.executable, str(SCRIPT), str(path), *options]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(path: Path) -> int:
    """Runs to the end; how many records were kept from before."""
    done = subprocess.run([sys.executable, str(SCRIPT), str(path)], capture_output=True, text=True, check=True)
    return int(done.stdout.splitlines()[0].removeprefix("kept "))


def interrupt(process: "subprocess.Popen[str]", after: int, which: signal.Signals) -> tuple[set[tuple[str, str]], str]:
    """Sends a signal once `after` records are said to be done; what was said to be done, and what stood on standard error."""
    assert process.stdout
    said: list[str] = []
    for line in process.stdout:
        said.append(line.strip())
        if len(said) == after + 1:
            process.send_signal(which)
    assert process.stderr
    errors = process.stderr.read()
    process.wait()
    return {tuple(line.removeprefix("done ").rsplit(" ", 1)) for line in said if line.startswith("done ")}, errors


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("undisturbed") / "run"
    assert finish(path) == 0
    return table(path)


def table(path: Path) -> bytes:
    return (path / "tables" / "letters.parquet").read_bytes()


def on_disk(path: Path) -> set[tuple[str, str]]:
    return {(record.item, str(record.repeat)) for record in journal.read(path / "records.jsonl")}


def test_killed_twice_and_resumed_gives_the_same_bytes(tmp_path: Path, undisturbed: bytes):
    path = tmp_path / "run"
    for _ in range(2):
        process = start(path)
        done, _ = interrupt(process, 8, signal.SIGKILL)
        assert process.returncode == -signal.SIGKILL
        assert done <= on_disk(path)  # what was said to be done had been synced
        assert not (path / "tables").exists()
    assert finish(path) >= 8
    assert table(path) == undisturbed


@pytest.mark.parametrize(("which", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_in_good_order_and_says_how_to_go_on(tmp_path: Path, undisturbed: bytes, which: signal.Signals, code: int):
    path = tmp_path / "run"
    process = start(path)
    done, errors = interrupt(process, 8, which)
    assert process.returncode == code
    assert len(errors.splitlines()) == 1
    assert "of 40 records of letters" in errors
    assert "the same command resumes" in errors
    assert str(path) in errors
    assert done == on_disk(path)
    finish(path)
    assert table(path) == undisturbed


def test_the_time_limit_leaves_a_resumable_run(tmp_path: Path, undisturbed: bytes):
    path = tmp_path / "run"
    process = start(path, "--run-seconds", "0.03")
    _, errors = process.communicate()
    assert process.returncode == 124
    assert "stopped at the limit of 0.03 s" in errors
    finish(path)
    assert table(path) == undisturbed


def test_a_full_disk_is_one_sentence_and_loses_nothing_that_was_done(tmp_path: Path, undisturbed: bytes):
    path = tmp_path / "run"
    process = start(path, "--quota", "2500")
    output, errors = process.communicate()
    assert process.returncode == 2
    assert errors.startswith("cannot write the journal")
    assert len(errors.splitlines()) == 1
    done = {tuple(line.removeprefix("done ").rsplit(" ", 1)) for line in output.splitlines() if line.startswith("done ")}
    assert 0 < len(done) < 40
    assert done == on_disk(path)
    assert (path / "records.jsonl").read_bytes().endswith(b"\n")
    finish(path)
    assert table(path) == undisturbed


def test_two_processes_cannot_have_one_directory(tmp_path: Path):
    path = tmp_path / "run"
    with RunDirectory.create_or_resume(path, {"seed": 5}, verb="test"):
        other = subprocess.run([sys.executable, str(SCRIPT), str(path)], capture_output=True, text=True, check=False)
    assert other.returncode == 2
    assert "is in use by another run" in other.stderr
    assert len(other.stderr.splitlines()) == 1
    assert finish(path) == 0  # and once it is free, it can be had
