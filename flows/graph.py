"""The graph as DVC reads it from ``dvc.yaml``: names, order, parameters, inputs and outputs of the stages.

Nothing else in the tree knows the stages. DVC resolves templates and matrix stages, and hashes inputs as it does for
``dvc status``.
"""

import contextlib
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from flows.settings import flatten, nearest

ARTIFACTS = Path("artifacts")


class GraphError(ValueError):
    """``dvc.yaml`` cannot be read, or has no stage of that name."""


@dataclass(frozen=True)
class Node:
    """One stage of the graph. Paths are relative to the repository's root."""

    name: str  # "faces", or "fer@base" for the item "base" of the matrix stage "fer"
    upstream: tuple[str, ...]
    params: tuple[str, ...]  # dotted keys or sections of params.yaml
    deps: tuple[Path, ...]
    outs: tuple[Path, ...]

    @property
    def out(self) -> Path:
        """The stage's own folder: ``artifacts/faces``, ``artifacts/fer/base``."""
        return ARTIFACTS / self.name.replace("@", "/")


def load() -> dict[str, Node]:
    """All stages by name, each after those it depends on."""
    import networkx

    with _repository() as repo:
        # Other files that DVC follows, such as `data/raw/*.dvc` and a study's dvc.yaml, make no stages of this graph.
        ours = [stage for stage in repo.index.graph if stage.path_in_repo == "dvc.yaml"]
        graph = repo.index.graph.subgraph(ours)  # an arrow leads from a stage to what it needs
        order = networkx.lexicographical_topological_sort(graph.reverse(), key=lambda stage: stage.addressing)
        return {stage.addressing: _node(stage, graph) for stage in order}


def names() -> list[str]:
    """The names of all stages, in order."""
    return list(load())


def find(nodes: dict[str, Node], name: str) -> Node:
    """The stage called ``name``; raises ``GraphError`` with the nearest known name."""
    if name not in nodes:
        raise GraphError(f"no stage is called '{name}'; {nearest(name, list(nodes))}")
    return nodes[name]


def with_upstream(nodes: dict[str, Node], names: list[str]) -> dict[str, Node]:
    """The stages ``names`` and all that they depend on, in order; all stages if ``names`` is empty."""
    wanted = {find(nodes, name).name for name in names} or set(nodes)
    for node in reversed(nodes.values()):
        if node.name in wanted:
            wanted.update(node.upstream)
    return {name: node for name, node in nodes.items() if name in wanted}


def inputs(nodes: dict[str, Node], node: Node) -> dict[str, Path]:
    """The artifacts folders that a stage reads, by the name of the stage that makes them."""
    return {name: nodes[name].out for name in node.upstream}


def fingerprint(name: str) -> str:
    """A hash of all that a stage's result depends on, by ``dvc.yaml``: parameters, data and code, and the command."""
    with _repository() as repo:
        stage = next(stage for stage in repo.index.stages if stage.addressing == name)
        missing = [dep for dep in stage.deps if not dep.exists]
        if missing:
            made = {out.fs_path: maker.addressing for maker in repo.index.stages for out in maker.outs}
            raise FileNotFoundError("\n".join(_missing(name, dep, made) for dep in missing))
        state = {dep.def_path: dep.get_hash().value for dep in stage.deps} | {"cmd": stage.cmd}
        return hashlib.blake2b(json.dumps(state, sort_keys=True).encode(), digest_size=8).hexdigest()


def status() -> dict[str, list]:
    """What DVC finds changed, by stage: the entries of ``dvc status --json``, without stages that are up to date."""
    with _repository() as repo:
        return repo.status()


def stage_settings(name: str) -> tuple[dict | None, dict]:
    """The settings that a stage depends on, by dotted key: as in its last run (None before the first), and as now."""
    from dvc.dependency import ParamsDependency

    with _repository() as repo:
        stage = next(stage for stage in repo.index.stages if stage.addressing == name)
        params = [dep for dep in stage.deps if isinstance(dep, ParamsDependency)]
        was, now = {}, {}
        for dep in params:
            was |= flatten(dep.hash_info.value or {})
            now |= flatten(dep.read_params())
        return (was if any(dep.hash_info for dep in stage.deps) else None), now


@contextlib.contextmanager
def _repository() -> Iterator:
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    try:
        with Repo() as repo:
            yield repo
    except DvcException as error:
        cause = f": {error.__cause__}" if error.__cause__ else ""
        raise GraphError(f"DVC: {error}{cause}") from error


def _node(stage, graph) -> Node:
    from dvc.dependency import ParamsDependency

    root = Path(stage.repo.root_dir)

    def paths(outputs) -> tuple[Path, ...]:
        found = (Path(each.fs_path) for each in outputs if not isinstance(each, ParamsDependency))
        return tuple(path.relative_to(root) if path.is_relative_to(root) else path for path in found)

    return Node(
        name=stage.addressing,
        upstream=tuple(sorted(other.addressing for other in graph.successors(stage))),
        params=tuple(key for dep in stage.deps if isinstance(dep, ParamsDependency) for key in dep.params),
        deps=paths(stage.deps),
        outs=paths(stage.outs),
    )


def _missing(name: str, dep, made: dict[str, str]) -> str:
    maker = made.get(dep.fs_path)
    remedy = f"stage {maker} makes it: `python -m flows run {name}`" if maker else "put it there or set data.path"
    return f"{name} needs {dep.def_path}, which does not exist; {remedy}"
