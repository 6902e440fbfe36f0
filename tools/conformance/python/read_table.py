"""Prints every row of a table as PyIceberg reads it, one JSON object a line, in canonical text per value.

usage: read_table.py CATALOG_URI NAMESPACE.TABLE [SNAPSHOT_ID] [key=value ...]
"""

import datetime
import decimal
import json
import math
import struct
import sys
import uuid

from pyiceberg.catalog import load_catalog


def canonical(value, is_uuid=False):
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return "NaN" if math.isnan(value) else struct.pack(">d", value).hex()
    if isinstance(value, decimal.Decimal):
        return format(value, "f")
    if isinstance(value, datetime.datetime):
        if value.tzinfo is not None:
            value = value.astimezone(datetime.timezone.utc).replace(tzinfo=None)
        return value.isoformat(sep="T", timespec="microseconds")
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, datetime.time):
        return value.isoformat(timespec="microseconds")
    if isinstance(value, uuid.UUID):
        return str(value)
    if isinstance(value, bytes):
        return str(uuid.UUID(bytes=value)) if is_uuid else value.hex()
    if isinstance(value, str):
        return value
    if isinstance(value, list) and value and isinstance(value[0], tuple):
        return [[canonical(key), canonical(item)] for key, item in value]
    if isinstance(value, list):
        return [canonical(item, is_uuid) for item in value]
    if isinstance(value, dict):
        return {name: canonical(item) for name, item in value.items()}
    raise TypeError(f"no canonical form of {type(value)}")


def main():
    uri, name, *rest = sys.argv[1:]
    properties = dict(item.split("=", 1) for item in rest if "=" in item)
    snapshots = [int(item) for item in rest if "=" not in item]
    table = load_catalog("floe", **{"type": "rest", "uri": uri, **properties}).load_table(name)
    uuids = {field.name for field in table.schema().fields if "uuid" in str(field.field_type)}
    scan = table.scan(snapshot_id=snapshots[0]) if snapshots else table.scan()
    for row in scan.to_arrow().to_pylist():
        print(json.dumps({key: canonical(value, key in uuids) for key, value in row.items()}, ensure_ascii=False))


if __name__ == "__main__":
    main()
