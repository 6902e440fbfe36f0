"""Encodes the rows of a Parquet file as one row group in memory, again and again, with pyarrow: prints the mean of one time."""

import json
import sys
import time

import pyarrow
import pyarrow.parquet

request = json.loads(sys.argv[1])
rows = pyarrow.parquet.read_table(request["file"]).combine_chunks()
level = {"compression_level": request["level"]} if "level" in request else {}


def encode():
    sink = pyarrow.BufferOutputStream()
    pyarrow.parquet.write_table(
        rows,
        sink,
        compression=request["codec"],
        row_group_size=rows.num_rows,
        # As Iceberg's specification has decimals, and Floe's files.
        store_decimal_as_integer=True,
        **level,
    )
    return sink.getvalue().size


for _ in range(request["warmups"]):
    encode()
started, cpu_started = time.perf_counter(), time.process_time()
size = 0
for _ in range(request["repetitions"]):
    size = encode()
seconds = (time.perf_counter() - started) / request["repetitions"]
cpu = (time.process_time() - cpu_started) / request["repetitions"]
print(json.dumps({"rows": rows.num_rows, "seconds": seconds, "cpuSeconds": cpu, "bytes": size}))
