"""A training run in a process of its own, to be killed: python killed.py OUT [seconds of sleep per step]."""

import sys
import time
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[1]))

from gnomon.train.config import TrainConfig
from gnomon.train.loop import StepReport, train
from train.tiny import counting, tiny_llama

CONFIG = TrainConfig(steps=12, batch_tokens=60, accumulation=2, lr=3e-3, checkpoint_every=1)


def slowly(report: StepReport) -> None:
    print(report.step, flush=True)
    time.sleep(float(sys.argv[2]))


if __name__ == "__main__":
    torch.set_num_threads(1)
    train(tiny_llama(), counting(), CONFIG, out=Path(sys.argv[1]), progress=slowly)
