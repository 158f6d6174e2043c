"""Real signals to real processes."""

import subprocess
import sys
from pathlib import Path

import pytest
from safetensors.torch import load_file

SCRIPT = Path(__file__).with_name("killed.py")


def final_weights(out: Path) -> bytes:
    return (out / "checkpoints/step-00000012/model.safetensors").read_bytes()


@pytest.mark.slow
def test_sigkill_at_any_step_and_again_gives_bitwise_the_same_weights(tmp_path: Path):
    subprocess.run([sys.executable, SCRIPT, tmp_path / "whole", "0"], check=True, capture_output=True)
    for kill_after in (4,):
        # Each process is killed `kill_after` steps after it began, somewhere between that step and its checkpoint.
        attempts = 0
        while not (tmp_path / f"cut{kill_after}/checkpoints/step-00000012").exists():
            attempts += 1
            assert attempts < 15
            command = [sys.executable, SCRIPT, tmp_path / f"cut{kill_after}", "0.01"]
            with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
                assert process.stdout is not None
                for count, _ in enumerate(process.stdout):
                    if count == kill_after:
                        process.kill()
                        break
        assert attempts > 1
        assert final_weights(tmp_path / f"cut{kill_after}") == final_weights(tmp_path / "whole")
        metrics = [(tmp_path / name / "metrics.jsonl").read_bytes() for name in ("whole", f"cut{kill_after}")]
        assert metrics[0] == metrics[1]
    assert load_file(tmp_path / "whole/checkpoints/step-00000012/model.safetensors")
