# Made from _async/ by tools/sdk_python; not to be edited.
"""The stages of a camera's check, told while the call that began it waits for its answer."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar
from uuid import UUID, uuid4

from novavms._request import segment
from novavms._sync.runtime import abandon, finish, sleep, start
from novavms._sync.transport import Transport
from novavms.errors import NotFoundError, NovaVMSError
from novavms.types import CheckStage, CheckStages

log = logging.getLogger("novavms")
T = TypeVar("T")
WAIT_SEC = 2.0
"""How long the server holds a question for more stages."""
PAUSE_SEC, PAUSE_MOST_SEC = 0.05, 0.25
FINISH_SEC = 5.0


def followed(
    transport: Transport,
    check_id: str | UUID | None,
    on_stage: Callable[[CheckStage], object] | None,
    run: Callable[[str | UUID | None], T],
) -> T:
    """What `run(check_id)` answers or raises; all stages of its check are told before that.

    What `on_stage` raises is logged and ends the telling: a camera was added or not, whatever became of its stages.
    """
    if on_stage is None:
        return run(check_id)
    chosen = str(check_id or uuid4())
    following = Following(transport, chosen, on_stage)
    beside = start(following.run)
    try:
        answer = run(chosen)
    except NovaVMSError:
        following.over = True
        finish(beside, FINISH_SEC)
        raise
    except BaseException:
        following.over = True
        abandon(beside)
        raise
    following.over = True
    finish(beside, FINISH_SEC)
    return answer


class Following:
    """One check. `over` is set once the call that began it has its answer: the next question is then the last."""

    def __init__(self, transport: Transport, check_id: str, on_stage: Callable[[CheckStage], object]) -> None:
        self.over = False
        self._transport = transport
        self._path = f"/api/v1/cameras/checks/{segment(check_id)}"
        self._on_stage = on_stage

    def run(self) -> None:
        try:
            self._tell()
        except NovaVMSError as error:
            log.info("a check's stages could not be followed: %s", error)
        except Exception:
            log.exception("on_stage raised; no further stage of this check is told")

    def _tell(self) -> None:
        seen, pause = 0, PAUSE_SEC
        while True:
            last = self.over
            query = {"after": seen, "wait_sec": 0 if last else WAIT_SEC}
            try:
                answer = self._transport.object("GET", self._path, CheckStages, query=query)
            except NotFoundError:  # it did not begin yet; or the server refused the call before
                if last:
                    return
                sleep(pause)
                pause = min(pause * 1.5, PAUSE_MOST_SEC)
                continue
            for stage in answer.stages:
                self._on_stage(stage)
            seen = answer.next
            if answer.ended or last:
                return
