"""Loads a PostgreSQL table into a table of a REST catalog with Spark's JDBC source, in ranges of a key."""

import glob
import json
import os
import sys

# The figures own the standard output; what Java prints there goes to the standard error.
answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
os.dup2(2, 1)

from load_figures import measure  # noqa: E402
from pyspark.sql import SparkSession  # noqa: E402

request = json.loads(sys.argv[1])
jdbc, ranges, s3 = request["jdbc"], request["ranges"], request["s3"]
settings = {
    "spark.jars": ",".join([*sorted(glob.glob(f"{request['jars']}/*.jar")), request["driver"]]),
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.driver.memory": "2g",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.catalog.lake": "org.apache.iceberg.spark.SparkCatalog",
    "spark.sql.catalog.lake.type": "rest",
    "spark.sql.catalog.lake.uri": request["uri"],
    "spark.sql.catalog.lake.io-impl": "org.apache.iceberg.aws.s3.S3FileIO",
    "spark.sql.catalog.lake.s3.endpoint": s3["endpoint"],
    "spark.sql.catalog.lake.s3.path-style-access": "true",
    "spark.sql.catalog.lake.s3.access-key-id": s3["accessKeyId"],
    "spark.sql.catalog.lake.s3.secret-access-key": s3["secretAccessKey"],
    "spark.sql.catalog.lake.client.region": s3["region"],
}
builder = SparkSession.builder.master(f"local[{request['cores']}]")
for name, value in settings.items():
    builder = builder.config(name, value)
session = builder.getOrCreate()
session.sparkContext.setLogLevel("OFF")
session.sql(f"CREATE NAMESPACE lake.{request['namespace']}")


def load():
    options = {
        "url": jdbc["url"],
        "user": jdbc["user"],
        "password": jdbc["password"],
        "driver": "org.postgresql.Driver",
        "dbtable": request["table"],
        "partitionColumn": ranges["key"],
        "lowerBound": str(ranges["keyMin"]),
        "upperBound": str(ranges["keyMax"]),
        "numPartitions": str(ranges["count"]),
        # Without it the driver holds all rows of a range at once.
        "fetchsize": "10000",
    }
    table = f"lake.{request['namespace']}.{request['name']}"
    session.read.format("jdbc").options(**options).load().writeTo(table).create()
    summary = session.sql(f"SELECT summary['total-records'] AS total FROM {table}.snapshots").collect()
    return int(summary[0].total)


measure(load, answers)
gateway = session.sparkContext._gateway
session.stop()
gateway.shutdown()
# Java ends with its input; only a child that was waited for counts as one of this process.
gateway.proc.stdin.close()
gateway.proc.wait()
