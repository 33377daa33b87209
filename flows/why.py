"""``why``: which stages would run now, and why, in words. It asks DVC, and runs nothing."""

import argparse

from flows import graph, settings

WORDS = {"modified": "has changed", "deleted": "is missing", "new": "is new", "not in cache": "is not in DVC's cache"}


def main(argv: list[str]) -> int:
    """Prints the reasons, stage by stage in order; returns the exit status."""
    argparse.ArgumentParser(prog="python -m flows why", description=__doc__.partition("\n")[0]).parse_args(argv)
    settings.load()
    for name, reasons in explain().items():
        print(name if reasons else f"{name}: up to date")
        for reason in reasons:
            print(f"  {reason}")
    return 0


def explain() -> dict[str, list[str]]:
    """For every stage, in order, the reasons for which it would run; none where it is up to date."""
    changed = graph.status()
    reasons: dict[str, list[str]] = {}
    for name, node in graph.load().items():
        reasons[name] = _reasons(name, changed.get(name, []))
        after = [other for other in node.upstream if reasons[other]]
        if after:
            reasons[name].append(f"after {', '.join(after)}, if what that makes has changed")
    return reasons


def _reasons(stage: str, entries: list) -> list[str]:
    was, now = graph.stage_settings(stage)
    if was is None:
        return ["has not run yet"]
    reasons = []
    for entry in entries:
        for what, names in entry.items() if isinstance(entry, dict) else [(entry, None)]:
            match what:
                case "changed deps":
                    reasons += _settings(was, now)
                    files = [name for name in names if name != str(settings.FILE)]
                    reasons += [f"input {name} {WORDS[names[name]]}" for name in files]
                case "changed outs":
                    reasons += [f"output {name} {WORDS[word]}" for name, word in names.items()]
                case "changed command":
                    reasons.append("its command in dvc.yaml has changed")
                case other:
                    reasons.append(other)
    return reasons


def _settings(was: dict, now: dict) -> list[str]:
    changed = [key for key in {**was, **now} if (key in was, was.get(key)) != (key in now, now.get(key))]
    return [f"setting {key}: {was.get(key, 'none')} -> {now.get(key, 'none')}" for key in changed]
