"""What every peer's script prints of its load: one line of JSON, by the same measures as Floe's own."""

import json
import os
import time


def children_of(pid):
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", encoding="utf-8") as file:
                    parent = int(file.read().rsplit(")", 1)[1].split()[1])
            except OSError:
                continue
            if parent == pid:
                found += [int(name), *children_of(int(name))]
    return found


def live_cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return sum(int(value) for value in fields[11:15]) / os.sysconf("SC_CLK_TCK")


def cpu_seconds():
    """Of this process and its children, those that run included."""
    return sum(live_cpu_seconds(pid) for pid in [os.getpid(), *children_of(os.getpid())])


def peak_bytes(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        return sum(int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM:"))


def measure(load, answers=None):
    """Runs `load`, which returns its rows, and prints the figures."""
    started, cpu_started = time.perf_counter(), cpu_seconds()
    rows = load()
    figures = {
        "rows": rows,
        "seconds": time.perf_counter() - started,
        "loaderCpuSeconds": cpu_seconds() - cpu_started,
        "peakMemoryBytes": sum(peak_bytes(pid) for pid in [os.getpid(), *children_of(os.getpid())]),
    }
    print(json.dumps(figures), file=answers, flush=True)
