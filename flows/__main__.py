"""``python -m flows``: a stage by its name in dvc.yaml, or a command about all of them."""

import importlib
import sys

from flows import environment

COMMANDS = {
    "run": ("flows.pipeline", "run [--jobs N] [STAGE…]", "the graph, driven by Prefect, side by side where it can be"),
    "ui": ("flows.ui", "ui [--stop]", "start the Prefect server if none answers, and print its address"),
    "configure": ("flows.configure", "configure [KEY=VALUE…]", "make params.yaml: data=NAME scale=NAME, any setting"),
    "sources": ("flows.sources", "sources [NAME…]", "the data that can be read: where to get it, on what terms"),
    "why": ("flows.why", "why", "which stages would run now, and why"),
    "score": ("flows.score", "score SOURCE PATH [--help]", "a trained classifier on any labelled source"),
    "edit": ("flows.edit", "edit PICTURE [--help]", "another expression for the face in a picture, by GANimation"),
    "one": ("flows.one", "one USE PICTURE [--help]", "what SinGAN makes of one picture: samples and its five uses"),
    "realfake": ("flows.realfake", "realfake [--help]", "ask people which faces are real and which SinGAN made"),
    "release": ("flows.release", "release NAME", "keep this run's classifier under models/released/"),
}


def main(argv: list[str]) -> int:
    """Runs one command or stage; returns the exit status."""
    if not argv or argv[0] in ("-h", "--help"):
        print(usage())
        return 0 if argv else 2
    name, *rest = argv
    try:
        if name in COMMANDS:
            return importlib.import_module(COMMANDS[name][0]).main(rest) or 0
        return _stage(name, rest)
    except (ValueError, OSError) as error:
        print(f"{name}: {error}", file=sys.stderr)
        return 1
    except ModuleNotFoundError as error:
        remedy = f"call `./run {' '.join(argv)}`, or first `source .venv/bin/activate`"
        print(f"{sys.executable} has no {error.name}: {remedy}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def usage() -> str:
    """The help text, with the stages that dvc.yaml has now."""
    from flows.graph import names

    width = max(len(form) for _, form, _ in COMMANDS.values())
    lines = [f"  {form:{width}}  {meaning}" for _, form, meaning in COMMANDS.values()]
    lines.append(f"  {'STAGE':{width}}  one stage alone: {', '.join(names())}")
    note = "`dvc repro` runs what has changed, in order; `./run` does that in its own environment."
    return "\n".join(["usage: python -m flows COMMAND", "", *lines, "", note])


def _stage(name: str, rest: list[str]) -> int:
    from flows.graph import names
    from flows.settings import nearest

    if name not in names():
        print(f"'{name}' is neither a command nor a stage; {nearest(name, [*COMMANDS, *names()])}", file=sys.stderr)
        return 2
    if rest:
        print(f"a stage takes no arguments, got {' '.join(rest)}; its settings are in params.yaml", file=sys.stderr)
        return 2
    from flows.stage import main as run_stage

    return run_stage(name)


if __name__ == "__main__":
    environment.enter("flows", sys.argv[1:])
    sys.exit(main(sys.argv[1:]))
