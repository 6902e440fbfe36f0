"""A Spark session with Iceberg that runs one SQL statement per line of stdin.

usage: spark_session.py JARS_FOLDER
Each line is {"sql": TEXT, "canonical": BOOLEAN} or {"set": {NAME: VALUE}}; each answer is one line: {"rows": [...]} or
{"error": TEXT}. The first line of all is printed when the session is up.
Values come as JSON; what JSON lacks (decimals, dates, times, integers beyond 2^53) as Python's text; binary as hex.
"""

import datetime
import decimal
import json
import math
import os
import struct
import sys

# Answers own the standard output; what Java prints there goes to the standard error.
answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
os.dup2(2, 1)

from pyspark.sql import SparkSession  # noqa: E402


def plain(value):
    if isinstance(value, (bytes, bytearray)):
        return value.hex()
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, int) and abs(value) > 2**53:
        return str(value)
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return str(value)


def canonical(value, kind):
    """One text for each value, the same that other engines are asked for: bits of floats, hex of bytes, UTC instants."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return "NaN" if math.isnan(value) else struct.pack(">d", value).hex()
    if isinstance(value, datetime.datetime):
        return value.replace(tzinfo=None).isoformat(sep="T", timespec="microseconds")
    if isinstance(value, (bytes, bytearray)):
        return value.hex()
    if isinstance(value, dict) and hasattr(kind, "keyType"):
        return [[canonical(key, kind.keyType), canonical(item, kind.valueType)] for key, item in sorted(value.items())]
    if isinstance(value, dict):
        return {name: canonical(item, kind[name].dataType) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [canonical(item, kind.elementType) for item in value]
    if isinstance(value, decimal.Decimal):
        # PySpark may give more zeros than the scale of the type.
        return format(value.quantize(decimal.Decimal(1).scaleb(-kind.scale), context=decimal.Context(prec=50)), "f")
    return value if value is None else str(value)


def start(jars):
    builder = SparkSession.builder.master("local[2]")
    settings = {
        "spark.jars": ",".join(os.path.join(jars, name) for name in sorted(os.listdir(jars)) if name.endswith(".jar")),
        "spark.ui.enabled": "false",
        "spark.sql.shuffle.partitions": "2",
        "spark.driver.memory": "1500m",
        "spark.sql.session.timeZone": "UTC",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
    }
    for key, value in settings.items():
        builder = builder.config(key, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("OFF")
    return session


def answer(session, request):
    for key, value in request.get("set", {}).items():
        session.conf.set(key, value)
    if "sql" not in request:
        return {"rows": []}
    result = session.sql(request["sql"])
    kinds = {field.name: field.dataType for field in result.schema.fields}
    rows = [row.asDict(True) for row in result.collect()]
    if request.get("canonical"):
        return {"rows": [{name: canonical(value, kinds[name]) for name, value in row.items()} for row in rows]}
    return {"rows": [{name: plain(value) for name, value in row.items()} for row in rows]}


def main():
    session = start(sys.argv[1])
    print(json.dumps({"rows": []}), file=answers, flush=True)
    for line in sys.stdin:
        try:
            result = answer(session, json.loads(line))
        except Exception as error:  # every failure of a statement is an answer
            result = {"error": str(error)[:4000]}
        print(json.dumps(result, ensure_ascii=False), file=answers, flush=True)
    session.stop()


main()
