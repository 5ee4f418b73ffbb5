"""What a tree of processes costs: CPU seconds from the scheduler's own count, and memory (PSS)."""

import os
from collections.abc import Iterable
from pathlib import Path

Cpu = dict[str, int]
"""Nanoseconds on a processor, by `PID/TID`."""


def _children(pid: int) -> list[int]:
    found: list[int] = []
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            text = Path(f"/proc/{pid}/task/{task}/children").read_text(encoding="ascii")
            found += map(int, text.split())
    except OSError:
        pass  # it ended while we looked
    return found


def tree(*roots: int) -> set[int]:
    """These processes and all that descend from them."""
    found: set[int] = set()
    waiting = list(roots)
    while waiting:
        pid = waiting.pop()
        if pid not in found:
            found.add(pid)
            waiting += _children(pid)
    return found


def cpu(pids: Iterable[int]) -> Cpu:
    """The count so far; `/proc/PID/stat` would give it in steps of 10 ms only."""
    counted: Cpu = {}
    for pid in pids:
        try:
            for task in os.listdir(f"/proc/{pid}/task"):
                path = Path(f"/proc/{pid}/task/{task}/schedstat")
                counted[f"{pid}/{task}"] = int(path.read_text(encoding="ascii").split()[0])
        except OSError:
            continue  # it ended while we looked
    return counted


def seconds(before: Cpu, after: Cpu) -> float:
    """CPU seconds between two counts; what ended in between counts nothing."""
    return sum(value - before.get(name, 0) for name, value in after.items()) / 1e9


def pss_mib(pids: Iterable[int]) -> float:
    """Proportional memory, so that what forks share counts once."""
    kib = 0
    for pid in pids:
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
        except OSError:
            continue
        kib += next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)
    return kib / 1024
