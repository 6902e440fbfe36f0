"""Creates a table through a REST catalog, appends to it twice with a schema change between, and prints its rows.

usage: write_table.py CATALOG_URI NAMESPACE.TABLE [key=value ...]
"""

import datetime
import decimal
import sys

import pyarrow as pa
from pyiceberg.catalog import load_catalog
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.transforms import BucketTransform, DayTransform
from pyiceberg.types import (
    BinaryType, BooleanType, DateType, DecimalType, DoubleType, FloatType, IntegerType, ListType, LongType, MapType,
    NestedField, StringType, StructType, TimestampType, TimestamptzType, TimeType,
)

SCHEMA = Schema(
    NestedField(1, "id", LongType(), required=True),
    NestedField(2, "flag", BooleanType()),
    NestedField(3, "small", IntegerType()),
    NestedField(4, "ratio", FloatType()),
    NestedField(5, "amount", DoubleType()),
    NestedField(6, "price", DecimalType(20, 4)),
    NestedField(7, "day", DateType()),
    NestedField(8, "clock", TimeType()),
    NestedField(9, "local", TimestampType()),
    NestedField(10, "at", TimestamptzType()),
    NestedField(11, "name", StringType()),
    NestedField(12, "raw", BinaryType()),
    NestedField(13, "tags", ListType(element_id=14, element=StringType(), element_required=False)),
    NestedField(15, "place", StructType(NestedField(16, "city", StringType()), NestedField(17, "zip", IntegerType()))),
    NestedField(18, "counts", MapType(key_id=19, key_type=StringType(), value_id=20, value_type=LongType())),
)
SPEC = PartitionSpec(
    PartitionField(source_id=10, field_id=1000, transform=DayTransform(), name="at_day"),
    PartitionField(source_id=1, field_id=1001, transform=BucketTransform(4), name="id_bucket"),
)


def row(number):
    if number % 7 == 0:
        return {"id": number, "at": datetime.datetime(1969, 12, 31, 23, 59, 59, 999999, datetime.timezone.utc)}
    at = datetime.datetime(1969, 12, 30, tzinfo=datetime.timezone.utc) + datetime.timedelta(hours=9 * number)
    return {
        "id": number,
        "flag": number % 2 == 0,
        "small": -number,
        "ratio": number / 4,
        "amount": -0.0 if number == 1 else number * 1e100,
        "price": decimal.Decimal(-number * 12345) / 10000,
        "day": at.date(),
        "clock": datetime.time(number % 24, 1, 2, 3),
        "local": at.replace(tzinfo=None),
        "at": at,
        "name": ["", "ünï", "日本", "a'b\"c"][number % 4],
        "raw": bytes([number % 256, 0]),
        "tags": [None, "x", ""][: number % 4],
        "place": {"city": f"c{number}", "zip": number},
        "counts": {"k": 2**53 + number},
    }


def main():
    uri, name, *rest = sys.argv[1:]
    catalog = load_catalog("floe", **{"type": "rest", "uri": uri, **dict(item.split("=", 1) for item in rest)})
    namespace = name.rsplit(".", 1)[0]
    catalog.create_namespace_if_not_exists(namespace)
    assert namespace in [".".join(parts) for parts in catalog.list_namespaces()]
    table = catalog.create_table(name, schema=SCHEMA, partition_spec=SPEC)
    table.append(pa.Table.from_pylist([row(n) for n in range(1, 21)], schema=table.schema().as_arrow()))
    with table.update_schema() as update:
        update.rename_column("name", "title")
        update.add_column("note", StringType(), doc="added later")
        update.rename_column(("place", "city"), "town")
    rows = []
    for number in range(21, 31):
        values = row(number)
        values["title"] = values.pop("name", None)
        values["note"] = f"n{number}"
        if "place" in values:
            values["place"] = {"town": values["place"]["city"], "zip": number}
        rows.append(values)
    table.append(pa.Table.from_pylist(rows, schema=table.schema().as_arrow()))
    assert name in [".".join(parts) for parts in catalog.list_tables(namespace)]
    print(" ".join(str(entry.snapshot_id) for entry in table.history()))


main()
