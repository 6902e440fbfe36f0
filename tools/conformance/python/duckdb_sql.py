"""Runs statements in DuckDB with its iceberg extension: for each line {"sql": TEXT} prints a line with the rows.

usage: duckdb_sql.py CATALOG_URI
"""

import json
import sys

import duckdb
from duckdb_extensions import import_extension


def main():
    [uri] = sys.argv[1:]
    database = duckdb.connect()
    for name in ("avro", "httpfs", "iceberg"):
        import_extension(name)
        database.load_extension(name)
    database.execute("SET TimeZone = 'UTC'")
    options = f"TYPE iceberg, ENDPOINT '{uri}', AUTHORIZATION_TYPE 'none', ACCESS_DELEGATION_MODE 'none'"
    database.execute(f"ATTACH '' AS lake ({options})")
    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        try:
            rows = database.execute(json.loads(line)["sql"]).fetchall()
            print(json.dumps({"rows": rows}, default=str), flush=True)
        except duckdb.Error as error:
            print(json.dumps({"error": str(error)}), flush=True)


main()
