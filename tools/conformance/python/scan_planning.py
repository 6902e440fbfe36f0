"""Scans of one table, planned by PyIceberg and by the server: whether tasks and rows are the same, a JSON line each."""

import datetime
import json
import sys

import pyarrow as pa
from pyiceberg.catalog import load_catalog
from pyiceberg.expressions import (
    AlwaysTrue, And, EqualTo, GreaterThan, In, IsNull, LessThan, Not, NotNaN, Or, StartsWith,
)
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.transforms import IdentityTransform, MonthTransform
from pyiceberg.types import DateType, DoubleType, LongType, NestedField, StringType

local = load_catalog("local", type="rest", uri=sys.argv[1])
remote = load_catalog("remote", type="rest", uri=sys.argv[1], **{"scan-planning-mode": "server"})
assert remote.supports_server_side_planning()

schema = Schema(
    NestedField(1, "id", LongType(), required=False),
    NestedField(2, "day", DateType(), required=False),
    NestedField(3, "name", StringType(), required=False),
    NestedField(4, "score", DoubleType(), required=False),
)
spec = PartitionSpec(
    PartitionField(2, 1000, MonthTransform(), "month"), PartitionField(4, 1001, IdentityTransform(), "score")
)
local.create_namespace("planning")
table = local.create_table("planning.scanned", schema, partition_spec=spec)


def append(first):
    ids = range(first, first + 20)
    table.append(
        pa.table(
            {
                "id": pa.array(ids, pa.int64()),
                "day": pa.array([datetime.date(2024, 1 + i % 3, 1 + i % 28) for i in ids]),
                "name": [f"n{i % 4}" for i in ids],
                "score": [float(i % 2) for i in ids],
            }
        )
    )


append(0)
append(20)
with table.update_spec() as update:
    update.remove_field("score")
append(40)
table.delete(EqualTo("id", 7))
first = table.history()[0].snapshot_id


def described(task):
    deletes = sorted(file.file_path for file in task.delete_files)
    return task.file.file_path, [str(value) for value in task.file.partition], task.file.record_count, deletes


def compare(row_filter, **options):
    mine = table.scan(row_filter=row_filter, **options)
    theirs = remote.load_table("planning.scanned").scan(row_filter=row_filter, **options)
    rows, their_rows = (scan.to_arrow().sort_by("id") for scan in (mine, theirs))
    same_tasks = sorted(map(described, mine.plan_files())) == sorted(map(described, theirs.plan_files()))
    print(json.dumps({"filter": str(row_filter), "rows": rows.num_rows, "same-tasks": same_tasks, "same-rows": rows.equals(their_rows)}))


for row_filter in [
    AlwaysTrue(),
    GreaterThan("id", 45),
    EqualTo("day", "2024-02-05"),
    And(EqualTo("score", 1.0), LessThan("id", 10)),
    Not(In("name", ["n1", "n2"])),
    Or(StartsWith("name", "n3"), EqualTo("id", 7)),
    IsNull("day"),
    NotNaN("score"),
]:
    compare(row_filter)
compare(GreaterThan("id", 5), snapshot_id=first)
compare(GreaterThan("id", 5), selected_fields=("id", "name"))
