"""Loads a PostgreSQL table into a table of a REST catalog with PyIceberg, fed by DuckDB or by ConnectorX."""

import json
import sys

from load_figures import measure
from pyiceberg.catalog import load_catalog

request = json.loads(sys.argv[1])
s3 = request["s3"]
properties = {
    "type": "rest",
    "uri": request["uri"],
    "s3.endpoint": s3["endpoint"],
    "s3.region": s3["region"],
    "s3.access-key-id": s3["accessKeyId"],
    "s3.secret-access-key": s3["secretAccessKey"],
    # ConnectorX gives instants in nanoseconds, which tables of version 2 do not have.
    "downcast-ns-timestamp-to-us-on-write": "true",
}
catalog = load_catalog("lake", **properties)
catalog.create_namespace(request["namespace"])

if request["reader"] == "duckdb":
    from duckdb_source import attach_source, open_duckdb

    connection = open_duckdb(request)

    def read():
        attach_source(connection, request)
        return connection.execute(f"FROM source.{request['table']}").to_arrow_table()

else:
    import connectorx

    def read():
        query = f"SELECT * FROM {request['table']}"
        ranges = {"partition_on": request["key"], "partition_num": request["threads"]}
        return connectorx.read_sql(request["url"], query, return_type="arrow", **ranges)


def load():
    rows = read()
    table = catalog.create_table((request["namespace"], request["name"]), schema=rows.schema)
    table.append(rows)
    return rows.num_rows


measure(load)
