# SPDX-License-Identifier: MIT
"""The rows of the table: measured times, a target, and whether it is reached."""

import os
import pathlib
import platform
import statistics
import threading
import time
from collections.abc import Callable
from typing import Any

SAMPLE = 300_000  # nanoseconds; shorter than what a scheduler gives a thread at a time

# What a target compares. The first two are ratios of Alloy and its peer.
AT_MOST = "at most"  # Alloy / peer
CHEAPER = "times cheaper"  # peer / Alloy, at least
ABOVE = "µs more"  # Alloy - peer, at most
COST = "µs"  # Alloy, at most


def measure(seconds: float, programs: dict[str, Callable[[], object]], *,
            on_main_thread: bool = True) -> dict[str, dict[str, float]]:
    """The time of each program in microseconds: the minimum and the median of its samples.

    The programs take turns, so a busy moment meets all of them. A sample is as many calls
    as fit into 0.3 ms, and at least one.
    """
    if not on_main_thread:
        result: dict[str, Any] = {}

        def run() -> None:
            try:
                result["times"] = measure(seconds, programs)
            except BaseException as error:
                result["error"] = error

        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
        if "error" in result:
            raise result["error"]
        return result["times"]
    counts = {name: _calls(program) for name, program in programs.items()}
    samples: dict[str, list[float]] = {name: [] for name in programs}
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(next(iter(samples.values()))) < 7:
        for name, program in programs.items():
            count = counts[name]
            start = time.perf_counter_ns()
            for _ in range(count):
                program()
            samples[name].append((time.perf_counter_ns() - start) / count / 1e3)
    return {name: {"min": min(values), "median": statistics.median(values)}
            for name, values in samples.items()}


def _calls(program: Callable[[], object]) -> int:
    program()  # the first call opens, binds and compiles
    shortest = SAMPLE
    for _ in range(5):
        start = time.perf_counter_ns()
        program()
        shortest = min(shortest, max(time.perf_counter_ns() - start, 100))
    return max(1, SAMPLE // shortest)


def row(number: str, what: str, alloy: dict[str, float], peer_name: str,
        peer: dict[str, float] | None, kind: str = AT_MOST, target: float | None = None,
        note: str = "") -> dict[str, Any]:
    """One row; without a target it is only shown, and without times it was not measured."""
    return {"number": number, "what": what, "alloy": alloy, "peer_name": peer_name,
            "peer": peer, "kind": kind, "target": target, "note": note}


def value(one: dict[str, Any]) -> float:
    """What is compared with the target. It uses minima, which other programs disturb least."""
    ours = one["alloy"]["min"]
    if one["kind"] == COST:
        return ours
    theirs = one["peer"]["min"]
    return {AT_MOST: ours / theirs, CHEAPER: theirs / ours, ABOVE: ours - theirs}[one["kind"]]


def reached(one: dict[str, Any]) -> bool | None:
    if one["target"] is None:
        return None
    found = value(one)
    return found >= one["target"] if one["kind"] == CHEAPER else found <= one["target"]


def time_text(microseconds: float) -> str:
    for unit, size in (("s", 1e6), ("ms", 1e3)):
        if microseconds >= size:
            return f"{microseconds / size:.3g} {unit}"
    return f"{microseconds:.3g} µs"


def value_text(one: dict[str, Any]) -> str:
    found = value(one)
    if one["kind"] == AT_MOST:
        return f"{found:.2f} times the peer"
    if one["kind"] == CHEAPER:
        return f"{found:.1f} times cheaper"
    return f"{found:.2f} {one['kind']}"


def target_text(one: dict[str, Any]) -> str:
    if one["target"] is None:
        return "-"
    word = "at least" if one["kind"] == CHEAPER else "at most"
    unit = {AT_MOST: "times", CHEAPER: "times cheaper"}.get(one["kind"], one["kind"])
    return f"{word} {one['target']:g} {unit}"


def reached_text(one: dict[str, Any]) -> str:
    return {True: "yes", False: "no", None: "-"}[reached(one)]


HEADING = ("no.", "what", "Alloy, min", "median", "peer", "min", "median", "result", "target",
           "reached")


def cells(one: dict[str, Any]) -> list[str]:
    def pair(times: dict[str, float] | None) -> list[str]:
        return ["-", "-"] if times is None else [time_text(times["min"]),
                                                 time_text(times["median"])]

    return [one["number"], one["what"], *pair(one["alloy"]), one["peer_name"],
            *pair(one["peer"]), value_text(one), target_text(one), reached_text(one)]


def machine() -> dict[str, Any]:
    """Where and when the numbers are measured. Call it before the run, because of the load."""
    info = pathlib.Path("/proc/cpuinfo").read_text()
    names = [line.split(":", 1)[1].strip() for line in info.splitlines()
             if line.startswith("model name")]
    return {"processors": os.cpu_count(), "processor": names[0] if names else platform.machine(),
            "system": f"{platform.system()} {platform.release()}",
            "load": round(os.getloadavg()[0], 2), "date": time.strftime("%Y-%m-%d", time.gmtime())}


def machine_text(found: dict[str, Any]) -> str:
    return (f"{found['processors']} processors ({found['processor']}), {found['system']}, "
            f"load {found['load']} before the run, {found['date']}")
