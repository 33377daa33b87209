"""Pictures a second in mini-Xception's training step: ours, PyTorch (channels last) and tf_keras, on this machine.

    python benchmarks/fer_training.py [--rounds 5] [--torch-python P] [--keras-python P]

The same network, batch 64, 48×48 grey, Adam, cross-entropy, no augmentation. The three take turns, round by round, so
that a noisy moment falls on all of them. The rivals run in throw-away environments (some minutes to install), or in those
given. Each runs as its users run it: ours in the environment that `python -m flows` makes, the others in their own.
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

RIVALS = {"torch": ["torch==2.13.0", "numpy"], "keras": ["tensorflow==2.21.0", "tf_keras==2.21.0"]}
PROGRAMS = {"ours": "fer_step_ours.py", "torch": "fer_step_torch.py", "keras": "fer_step_keras.py"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    for rival, packages in RIVALS.items():
        parser.add_argument(f"--{rival}-python", type=Path, help=f"a Python that has {', '.join(packages)}")
    options = parser.parse_args()

    with tempfile.TemporaryDirectory() as folder:
        pythons = {"ours": Path(sys.executable)}
        for rival, packages in RIVALS.items():
            pythons[rival] = getattr(options, f"{rival}_python") or install(Path(folder) / rival, packages)
        commands = {name: [pythons[name], HERE / program] for name, program in PROGRAMS.items()}
        rounds = in_turns(commands, options.rounds)
    speeds = {name: [each[name]["pictures_per_second"] for each in rounds] for name in PROGRAMS}
    ours = statistics.median(speeds["ours"])
    print(f"{'':8} {'median':>8} {'best':>8}   ours / this   pictures/s of each round")
    for name, values in speeds.items():
        median = statistics.median(values)
        each_round = " ".join(f"{value:.0f}" for value in values)
        print(f"{name:8} {median:8.0f} {max(values):8.0f}   {ours / median:8.2f}x      {each_round}")


if __name__ == "__main__":
    main()
