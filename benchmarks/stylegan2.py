"""Milliseconds of StyleGAN2's main step (G and D): ours and PyTorch's, on this machine and its accelerator if it has one.

    python benchmarks/stylegan2.py [--rounds 5] [--torch-python P] [--study]

The configuration is tiny (32×32, batch 16, 64 features), or with --study that of studies/stylegan (64×64, batch 64, 256).

The two take turns, round by round, so that a noisy moment falls on both. PyTorch runs in a throw-away environment (some
minutes to install), or in the one given. The authors' program took 173 ms where our parity data was recorded.
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

PACKAGES = ["torch==2.13.0", "numpy"]
# Resolution, channel base, most channels, latent, batch, steps to time.
TINY, STUDY = (32, 1024, 64, 64, 16, 30), (64, 2048, 256, 128, 64, 6)
PROGRAMS = {"ours": "stylegan2_step_ours.py", "torch": "stylegan2_step_torch.py"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--torch-python", type=Path, help=f"a Python that has {', '.join(PACKAGES)}")
    parser.add_argument("--study", action="store_true", help="the configuration of studies/stylegan")
    options = parser.parse_args()
    work = [str(number) for number in (STUDY if options.study else TINY)]
    with tempfile.TemporaryDirectory() as folder:
        torch_python = options.torch_python or install(Path(folder) / "torch", PACKAGES)
        pythons = {"ours": Path(sys.executable), "torch": torch_python}
        commands = {name: [pythons[name], HERE / program, *work] for name, program in PROGRAMS.items()}
        rounds = in_turns(commands, options.rounds)
    times = {name: [each[name]["milliseconds"] for each in rounds] for name in PROGRAMS}
    print(f"on {rounds[0]['ours']['device']}")
    for name, values in times.items():
        print(f"{name:6} median {statistics.median(values):6.1f} ms, rounds {' '.join(f'{value:.0f}' for value in values)}")
    print(f"ours is {statistics.median(times['torch']) / statistics.median(times['ours']):.2f}x as fast")


if __name__ == "__main__":
    main()
