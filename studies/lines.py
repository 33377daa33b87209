"""A watcher that says what happens to a training in plain lines, also where several are trained side by side."""

from pathlib import Path


class Lines:
    """`prefix` begins each line; progress is told every so many steps."""

    def __init__(self, prefix: str, every: int):
        self.prefix, self.every = prefix, every

    def log(self, text: str) -> None:
        print(self.prefix + text, flush=True)

    def progress(self, done: int, total: int, text: str = "") -> None:
        if done % self.every == 0:
            self.log(f"{done}/{total} {text}")

    def metrics(self, values: dict[str, float]) -> None:
        self.log("  ".join(f"{name} {value:.4g}" for name, value in values.items()))

    def picture(self, name: str, path: Path) -> None:
        """Lines show no pictures."""
