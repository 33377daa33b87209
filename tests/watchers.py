"""Those who look on in tests: one that hears nothing, and one that ends a run."""


class Silent:
    """A watcher that hears nothing."""

    def __getattr__(self, name: str):
        return lambda *values, **named: None


class Interrupting(Silent):
    """A watcher that interrupts a run as soon as `fail_after` of its steps are done; None: never."""

    def __init__(self, fail_after: int | None = None):
        self.fail_after = fail_after

    def progress(self, done: int, total: int, text: str = "") -> None:
        if done == self.fail_after:
            raise KeyboardInterrupt
