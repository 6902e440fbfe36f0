"""Scans tables by their metadata files: for each line {"metadata": LOCATION, "filter": TEXT} prints a line with the sorted keys.

usage: scan_filters.py KEY_COLUMN
"""

import json
import sys

from pyiceberg.expressions.parser import parse
from pyiceberg.expressions.visitors import bind
from pyiceberg.io.pyarrow import expression_to_pyarrow
from pyiceberg.table import StaticTable


def rows(table, condition):
    try:
        return table.scan(row_filter=condition).to_arrow()
    except TypeError:
        # PyIceberg 0.12 compares the value of an identity partition with a literal also when it is null, and fails:
        # read whole, the rows are filtered one by one.
        bound = bind(table.schema(), parse(condition), case_sensitive=True)
        return table.scan().to_arrow().filter(expression_to_pyarrow(bound))


def main():
    [key] = sys.argv[1:]
    for line in sys.stdin:
        request = json.loads(line)
        table = StaticTable.from_metadata(request["metadata"])
        print(json.dumps(sorted(rows(table, request["filter"]).column(key).to_pylist())), flush=True)


main()
