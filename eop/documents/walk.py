"""Walks the open jobs student by student, a few at once.

What is due is in the database alone. A process that is killed loses the steps it was saying; they
are still due and are said again, which changes nothing where they had been carried out.
"""

import logging
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from eop.documents import ending, jobs, lease, steps, store
from eop.documents.jobs import Job
from eop.documents.steps import AgainError, HoldError, StepError, Task
from eop.services import Services

THREADS = 3  # steps at once: one copies while another syncs
MAX_TRIES = 5  # of a step whose failure may pass
MAX_HOLDS = 3  # of a step to which nobody answers, although the files are there
HELD_SECONDS = 2.0  # after nobody could be served
AGAIN_SECONDS = 1.0  # after a step that must be tried once more
STOP_SECONDS = 5.0  # of leaving: a step that takes longer is said again by the next worker
RENEW_SECONDS = lease.LEASE_MS / 1000 / 3

logger = logging.getLogger(__name__)


@dataclass
class _Taken:
    """What the threads are at: students of documents; and after which job to look next."""

    students: set[tuple[str, str]]
    last_job: int = 0


class Walk:
    """The threads that walk, while this worker has the lease and something is due."""

    def __init__(self, parts: Services, steady: Callable[[], float] = time.monotonic) -> None:
        self._parts, self._steady = parts, steady
        self._owner = uuid.uuid4().hex
        self._renew_at = self._leased_until = 0.0
        self._lock = threading.Lock()
        self._taken = _Taken(set())
        self._leaving = threading.Event()
        self._threads: list[threading.Thread] = []

    def tick(self) -> None:
        """Where something is due, take or keep the lease, and see that the threads run."""
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        with self._parts.database.read() as connection:
            is_due = bool(jobs.ready(connection, self._parts.now_ms()))
        if not is_due and not self._threads:
            self._give_up()
            return
        if not self._has_lease():
            return
        for number in range(len(self._threads), THREADS if is_due else 0):
            # a daemon: a step that hangs must not keep the worker from ending
            thread = threading.Thread(target=self._run, name=f"documents-{number}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def stop(self) -> None:
        """Begin nothing more, and leave the lease to another."""
        self._leaving.set()
        deadline = self._steady() + STOP_SECONDS
        for thread in self._threads:
            thread.join(max(0.0, deadline - self._steady()))
        if not any(thread.is_alive() for thread in self._threads):
            self._give_up()  # else its step goes on, and the lease ends by itself

    def _has_lease(self) -> bool:
        now = self._steady()
        if now < self._renew_at:
            return now < self._leased_until
        self._renew_at = now + RENEW_SECONDS
        with self._parts.database.write() as connection:
            is_ours = lease.take(connection, self._owner, self._parts.now_ms())
        if is_ours:
            self._leased_until = now + lease.LEASE_MS / 1000
        return is_ours

    def _give_up(self) -> None:
        if self._leased_until:
            self._leased_until = self._renew_at = 0.0
            with self._parts.database.write() as connection:
                lease.give_up(connection, self._owner)

    def _run(self) -> None:
        """Step after step, until none is due or the lease is lost."""
        while not self._leaving.is_set() and self._steady() < self._leased_until:
            try:
                wait = self.step()
            except Exception:
                logger.exception("a step of a document failed")
                wait = HELD_SECONDS
            if wait is None:
                return
            self._leaving.wait(wait)

    def step(self) -> float | None:
        """Do one step; how long to wait before the next, in seconds. None: none is due."""
        task = self._take()
        if task is None:
            return None
        try:
            return self._do(task)
        finally:
            with self._lock:
                self._taken.students.discard(task.key)

    def _take(self) -> Task | None:
        """The next step: of another job than the last one, where there are several."""
        with self._lock, self._parts.database.read() as connection:
            ready = jobs.ready(connection, self._parts.now_ms())
            last = self._taken.last_job
            for job in sorted(ready, key=lambda one: (one.id <= last, one.id)):
                # never two in the same student's folder: taking back must not pass giving
                busy = {login for one, login in self._taken.students if one == job.document_id}
                step = jobs.due(connection, job, busy)
                if step is not None:
                    task = steps.task(connection, step, self._parts.now_ms())
                    self._taken.students.add(task.key)
                    self._taken.last_job = job.id
                    return task
        return None

    def _do(self, task: Task) -> float:
        try:
            if task.step.holds:  # it was this student, or nobody was served: that is known now
                steps.require_files(self._parts)
        except HoldError as error:
            return self._hold(task.step.job, error.code)
        try:
            kept = steps.carry_out(self._parts, task)
        except HoldError as error:
            return self._held_up(task, error.code)
        except AgainError as error:
            return self._again(task, error.code)
        except StepError as error:
            return self._settle(task, jobs.FAILED, error.code, steps.trouble(task, error.code))
        except Exception:
            logger.exception("a step of %s failed", task)
            return self._again(task, "internal")
        return self._settle(task, jobs.DONE, None, kept)

    def _held_up(self, task: Task, code: str) -> float:
        """Others first: a student at whom the files are never answered for must stop nobody.

        The first time it may have been anything; afterwards the files answered just before.
        """
        if task.step.holds + 1 >= MAX_HOLDS:
            return self._settle(task, jobs.FAILED, "no_answer", steps.trouble(task, "no_answer"))
        with self._parts.database.write() as connection:
            jobs.held_up(connection, task.step)
        return self._hold(task.step.job, code)

    def _hold(self, job: Job, code: str) -> float:
        if job.held != code:
            with self._parts.database.write() as connection:
                jobs.hold(connection, job.id, code)
        return HELD_SECONDS

    def _again(self, task: Task, code: str) -> float:
        if task.step.tries + 1 >= MAX_TRIES:
            return self._settle(task, jobs.FAILED, code, steps.trouble(task, code))
        with self._parts.database.write() as connection:
            jobs.try_again(connection, task.step)
        return AGAIN_SECONDS

    def _settle(self, task: Task, state: str, code: str | None, kept: Mapping[str, Any]) -> float:
        """Keep the outcome of a step, and what follows where it was the last one."""
        job, now_ms = task.step.job, self._parts.now_ms()
        with self._parts.database.write() as connection:
            store.change_student(connection, task.document.id, task.step.login, kept)
            jobs.settle(connection, task.step, state, code)
            if job.held:
                jobs.hold(connection, job.id, None)
            ended = jobs.end_if_over(connection, job.id, now_ms)
            if ended is not None:
                ending.follow(connection, task.document, ended, now_ms)
        return 0.0
