"""A stage's page in Prefect: its flow run with the full log, live progress, figures, tables and pictures.

Prefect only watches: the work is done exactly once and its outcome is the stage's, whatever becomes of the server.
Imported only where a server answers, since Prefect takes seconds to import.
"""

import base64
import json
import logging
import os
import re
import socket
import time
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import cv2
import psutil

from flows import ui
from flows.watch import LOGGER, Watch, row

ui.connect(ui.address())  # first: Prefect reads the environment when it is imported

from prefect import flow, get_run_logger
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import ArtifactCreate, ArtifactUpdate
from prefect.client.schemas.filters import FlowFilter, FlowRunFilter
from prefect.client.schemas.objects import State
from prefect.context import FlowRunContext
from prefect.flow_engine import run_flow
from prefect.flows import Flow
from prefect.states import Cancelled, Crashed, Failed, Pending

logging.getLogger("prefect").propagate = False  # JAX's libraries give the root logger a handler, which would repeat it

PARENT = "FLOWS_PARENT_TASK_RUN"  # environment: the task of the graph's run that this stage's run is shown under
EVERY = 2  # seconds between two updates of the same artifact
SIDE = 900  # pixels; larger pictures are shown smaller


def run(name: str, work: Callable[[], None], watch: Watch, settings: dict) -> None:
    """Does ``work`` as a flow run called ``name``, with ``settings`` as its parameters."""
    once = _Once(work, watch)

    @flow(name=name.partition(" ")[0], persist_result=False, validate_parameters=False)
    def stage(settings: dict) -> State | None:
        once()
        if once.error and not isinstance(once.error, Exception):
            return Cancelled(message="ended before it was done")
        return Failed(message=f"{type(once.error).__name__}: {once.error}") if once.error else None

    try:
        run_flow(stage, open_run(stage, name, settings), {"settings": settings}, return_type="state")
    except Exception as error:
        watch.log(f"Prefect cannot show this run to its end ({type(error).__name__}); the work is not affected")
        LOGGER.debug("Prefect", exc_info=True)
    if not once.started:
        work()
    if once.error:
        raise once.error


def open_run(what: Flow, name: str, settings: dict):
    """A new flow run, under the task that the environment names, if any; lost runs of that flow are closed first."""
    parent = os.environ.get(PARENT)
    with get_client(sync_client=True) as client:
        close_lost_runs(client, what.name)
        return client.create_flow_run(
            what,
            name=name,
            parameters={"settings": settings},
            parent_task_run_id=UUID(parent) if parent else None,
            state=Pending(),
            tags=[process_tag(os.getpid())],
        )


def close_lost_runs(client: SyncPrefectClient, name: str) -> None:
    """Marks as crashed what was killed on this machine without a word and would be shown as running for ever."""
    running = FlowRunFilter(state={"type": {"any_": ["RUNNING", "CANCELLING"]}})
    for lost in client.read_flow_runs(flow_filter=FlowFilter(name={"any_": [name]}), flow_run_filter=running):
        tags = [tag for tag in lost.tags if tag.startswith(process_tag(""))]
        if tags and not psutil.pid_exists(int(tags[0].rpartition(":")[2])):
            client.set_flow_run_state(lost.id, Crashed(message="its process was killed"), force=True)


def process_tag(pid: int | str) -> str:
    """A tag that says which process of which machine a run lives in."""
    return f"process:{socket.gethostname()}:{pid}"


def is_cancelled() -> bool:
    """Whether somebody cancelled the flow run, which is this thread's, in Prefect."""
    if not ui.answers(ui.address(), timeout=1):
        return False
    try:
        with get_client(sync_client=True) as client:
            state = client.read_flow_run(FlowRunContext.get().flow_run.id).state
    except Exception:  # a server that goes away must not end the work
        LOGGER.debug("Prefect did not say whether the run is cancelled", exc_info=True)
        return False
    return state.is_cancelling() or state.is_cancelled()


class _Once:
    """The work, shown in Prefect while it is done, and what became of it."""

    def __init__(self, work: Callable[[], None], watch: Watch) -> None:
        self.work, self.watch = work, watch
        self.started = False
        self.error: BaseException | None = None

    def __call__(self) -> None:
        self.watch.views.append(page := Page())
        self.started = True
        try:
            self.work()
        except BaseException as error:
            self.error = error
            page.logger.error("%s: %s", type(error).__name__, error)
        finally:
            page.close()
            self.watch.views.remove(page)


class Page:
    """The view of a stage in Prefect: one artifact for each thing shown, brought up to date in place."""

    def __init__(self) -> None:
        self.logger = get_run_logger()
        self.run = FlowRunContext.get().flow_run
        self.rows: list[dict[str, float]] = []
        self.titles: dict[str, str] = {}  # of pictures, by the names of their files
        self.pictures: dict[str, str] = {}  # as Markdown, by title
        self.artifacts: dict[str, UUID] = {}
        self.sent: dict[str, float] = {}

    def log(self, text: str) -> None:
        self.logger.info(text)

    def progress(self, done: int, total: int, text: str = "") -> None:
        if self._due("progress", done == total):
            self._put("progress", "progress", 100 * done / max(total, 1), f"{done} of {total} {text}".rstrip())

    def metrics(self, values: dict[str, float]) -> None:
        self.logger.info(row(values))
        self.rows.append(values)
        if self._due("metrics"):
            self._put("metrics", "table", as_json(self.rows), "figures while it runs")

    def table(self, name: str, rows: list[dict]) -> None:
        self._put(name, "table", as_json(rows), name)

    def picture(self, name: str, path: Path) -> None:
        title = self.titles.setdefault(path.name, name)  # a file that is shown again is the same picture, now newer
        self.pictures[title] = f"### {title}\n\n{as_markdown(path)}"
        self._put("pictures", "markdown", "\n\n".join(self.pictures.values()), "pictures")

    def close(self) -> None:
        """Sends what was held back."""
        if self.rows:
            self._put("metrics", "table", as_json(self.rows), "figures while it ran")

    def _due(self, key: str, last: bool = False) -> bool:
        now = time.monotonic()
        if not last and now - self.sent.get(key, -EVERY) < EVERY:
            return False
        self.sent[key] = now
        return True

    def _put(self, name: str, kind: str, data: str | float, description: str) -> None:
        """Makes the artifact called ``name`` or brings it up to date; without an answering server, nothing."""
        if not ui.answers(ui.address(), timeout=1):  # cheaper than the client's patience, which would hold up the work
            return
        try:
            with get_client(sync_client=True) as client:
                if name in self.artifacts:
                    client.update_artifact(self.artifacts[name], ArtifactUpdate(data=data, description=description))
                else:
                    key = re.sub("[^a-z0-9]+", "-", f"{self.run.name.partition(' ')[0]}-{name}".lower()).strip("-")
                    new = ArtifactCreate(
                        key=key, type=kind, data=data, description=description, flow_run_id=self.run.id
                    )
                    self.artifacts[name] = client.create_artifact(new).id
        except Exception:  # whatever goes wrong in showing it must not end the work
            LOGGER.debug("Prefect did not take %s", name, exc_info=True)


def as_json(rows: list[dict]) -> str:
    """Rows of a table as JSON; numbers of NumPy become plain ones, and what JSON has no form for becomes text."""
    return json.dumps(rows, default=lambda value: value.item() if hasattr(value, "item") else str(value))


def as_markdown(path: Path) -> str:
    """A picture file as Markdown that holds it all, made smaller where it is larger than ``SIDE``."""
    picture = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if picture is None:
        return f"{path} is not a picture that OpenCV can read"
    scale = SIDE / max(picture.shape[:2])
    if scale < 1:
        picture = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    _, encoded = cv2.imencode(".webp", picture, [cv2.IMWRITE_WEBP_QUALITY, 85])
    return f"![{path.stem}](data:image/webp;base64,{base64.b64encode(encoded).decode()})"
