"""Plans one file out of a table again and again: a JSON line of seconds and files for each line of input."""

import json
import sys
import time

from pyiceberg.expressions import EqualTo
from pyiceberg.table import StaticTable

for line in sys.stdin:
    request = json.loads(line)
    started, cpu_started = time.perf_counter(), time.process_time()
    table = StaticTable.from_metadata(request["metadata"])
    files = list(table.scan(row_filter=EqualTo("id", request["id"])).plan_files())
    seconds, cpu = time.perf_counter() - started, time.process_time() - cpu_started
    print(json.dumps({"seconds": seconds, "cpuSeconds": cpu, "files": len(files)}), flush=True)
