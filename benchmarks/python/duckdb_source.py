"""DuckDB with its postgres extension, as the peers that read by it open it."""

import duckdb


def open_duckdb(request):
    connection = duckdb.connect()
    for extension in request["extensions"]:
        connection.execute(f"LOAD '{extension}'")
    connection.execute(f"SET threads = {request['threads']}")
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def attach_source(connection, request):
    connection.execute(f"ATTACH '{request['url']}' AS source (TYPE postgres, READ_ONLY)")
