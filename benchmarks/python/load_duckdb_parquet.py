"""Loads a PostgreSQL table into one Parquet file with DuckDB."""

import json
import sys

from duckdb_source import attach_source, open_duckdb
from load_figures import measure

request = json.loads(sys.argv[1])
connection = open_duckdb(request)


def load():
    attach_source(connection, request)
    settings = f"FORMAT parquet, COMPRESSION {request['codec']}"
    copied = connection.execute(f"COPY (FROM source.{request['table']}) TO '{request['file']}' ({settings})")
    return copied.fetchone()[0]


measure(load)
