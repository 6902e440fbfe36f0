"""Loads a PostgreSQL table into a table of a REST catalog with DuckDB's iceberg extension."""

import json
import sys
from urllib.parse import urlsplit

from duckdb_source import attach_source, open_duckdb
from load_figures import measure

request = json.loads(sys.argv[1])
s3 = request["s3"]
connection = open_duckdb(request)
connection.execute(
    f"""CREATE SECRET (TYPE s3, KEY_ID '{s3["accessKeyId"]}', SECRET '{s3["secretAccessKey"]}', REGION '{s3["region"]}',
    ENDPOINT '{urlsplit(s3["endpoint"]).netloc}', URL_STYLE 'path', USE_SSL false)"""
)
connection.execute(
    f"""ATTACH '' AS lake (TYPE iceberg, ENDPOINT '{request["uri"]}', AUTHORIZATION_TYPE 'none',
    ACCESS_DELEGATION_MODE 'none')"""
)
connection.execute(f"CREATE SCHEMA lake.{request['namespace']}")


def load():
    attach_source(connection, request)
    table = f"lake.{request['namespace']}.{request['name']}"
    return connection.execute(f"CREATE TABLE {table} AS FROM source.{request['table']}").fetchone()[0]


measure(load)
