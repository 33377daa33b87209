"""Milliseconds a picture and full iteration (3 critic and 3 generator steps) of SinGAN at 64 pixels: ours with K
pictures at once, and PyTorch, which trains one, on this machine; and the operations in it.

    python benchmarks/singan.py [--rounds 3] [--channels 32] [--torch-python P]

The coarsest scale, where no scale lies below. All take turns, round by round, so that a noisy moment falls on all of
them. PyTorch runs in a throw-away environment (some minutes to install), or in the one given.
"""

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from throw_away import install
from turns import in_turns

SIDE = "64"
TOGETHER = (1, 4, 16)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--channels", type=int, default=32)
    parser.add_argument("--torch-python", type=Path, help="a Python that has torch 2.13")
    options = parser.parse_args()
    work = [SIDE, str(options.channels)]

    with tempfile.TemporaryDirectory() as folder:
        torch = options.torch_python or install(Path(folder), ["torch==2.13.0", "numpy"])
        commands = {"PyTorch": [torch, HERE / "singan_step_torch.py", *work]}
        for pictures in TOGETHER:
            commands[f"K = {pictures}"] = [sys.executable, HERE / "singan_step_ours.py", *work, str(pictures)]
        rounds = in_turns(commands, options.rounds)

    gflop = rounds[0]["K = 1"]["gflop"]
    print(f"{gflop:.1f} GFLOP an iteration, {options.channels} channels, on {rounds[0]['K = 1']['device']}")
    print(f"{'':8} {'median ms':>10} {'fastest':>8} {'GFLOP/s':>8}   milliseconds of each round")
    for name in commands:
        values = [each[name]["milliseconds"] for each in rounds]
        median, fastest = statistics.median(values), min(each[name]["fastest"] for each in rounds)
        each_round = " ".join(f"{value:.1f}" for value in values)
        print(f"{name:8} {median:10.1f} {fastest:8.1f} {gflop / median * 1e3:8.0f}   {each_round}")


if __name__ == "__main__":
    main()
