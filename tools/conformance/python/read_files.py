"""Prints every row of Parquet files as pyarrow reads them, without a catalog, one JSON object a line, in canonical text.

usage: read_files.py FILE ...
"""

import json
import sys

import pyarrow.parquet
from read_table import canonical


def main():
    for path in sys.argv[1:]:
        table = pyarrow.parquet.ParquetFile(path).read()
        # pyarrow may show a UUID as its 16 bytes; no decimal is a fixed_size_binary in Arrow.
        uuids = {field.name for field in table.schema if "uuid" in str(field.type) or "binary[16]" in str(field.type)}
        for row in table.to_pylist():
            print(json.dumps({key: canonical(value, key in uuids) for key, value in row.items()}, ensure_ascii=False))


main()
