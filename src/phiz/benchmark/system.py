"""What the machine tells beyond time: peak memory and energy."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

POWERCAP = Path("/sys/class/powercap")


def peak_memory() -> float | None:
    """Return the most memory that this process has held so far, in MiB; None where not told."""
    try:
        # Not getrusage where this file exists: that counts the parent's memory to a child just started.
        lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024
    except (OSError, StopIteration):
        pass
    try:
        import resource
    except ModuleNotFoundError:  # Windows
        return None
    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return largest / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def peak_memory_of(code: str) -> float | None:
    """Run Python code in a process of its own and return its peak memory in MiB."""
    report = "from phiz.benchmark.system import peak_memory; print(peak_memory() or '')"
    command = [sys.executable, "-c", f"{code}\n{report}"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(done.stdout) if done.stdout.strip() else None


def energy_of(work: Callable[[], object], folder: Path = POWERCAP) -> tuple[float | None, str]:
    """Run `work` and return the joules that the processors took meanwhile, all that ran on them included.

    Without a counter the work is not run, and (None, why) is returned. folder: Linux's powercap files (RAPL).
    """
    zones = [zone for zone in sorted(folder.glob("*rapl:*")) if zone.name.count(":") == 1]
    if not zones:
        return None, "not told: this system has no energy counter (RAPL)"
    try:
        before = [_read(zone, "energy_uj") for zone in zones]
        work()
        after = [_read(zone, "energy_uj") for zone in zones]
        span = [_read(zone, "max_energy_range_uj") for zone in zones]
    except OSError as error:
        return None, f"not told: {error.filename}: {error.strerror}"
    microjoules = sum(
        b - a if b >= a else b - a + whole for a, b, whole in zip(before, after, span, strict=True)
    )
    return microjoules / 1e6, ""


def _read(zone: Path, name: str) -> int:
    return int((zone / name).read_text(encoding="ascii"))
