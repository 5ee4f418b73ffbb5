"""Executors that do their work when a test says so, in its own thread."""

from concurrent.futures import Executor, Future


class HeldExecutor(Executor):
    """Holds what it is given until `release`; `done` counts what was released."""

    def __init__(self) -> None:
        self.held = []
        self.done = 0

    def submit(self, work, /, *arguments, **named):
        future = Future()
        self.held.append((future, lambda: work(*arguments, **named)))
        return future

    def release(self):
        """Do the oldest piece of work."""
        future, work = self.held.pop(0)
        self.done += 1
        try:
            future.set_result(work())
        except Exception as error:
            future.set_exception(error)


class PromptExecutor(HeldExecutor):
    """Does everything at once."""

    def submit(self, work, /, *arguments, **named):
        future = super().submit(work, *arguments, **named)
        self.release()
        return future
