"""Writes and reads a table in S3 with nothing but what the catalog gives; then tries the files of another with it.

Arguments: catalog uri, mechanism (vended-credentials or remote-signing). Prints one JSON object.
"""

import json
import sys

import pyarrow as pa
from pyiceberg.catalog import load_catalog

uri, mechanism = sys.argv[1:]
options = {"header.X-Iceberg-Access-Delegation": mechanism}
if mechanism == "remote-signing":
    options["py-io-impl"] = "pyiceberg.io.fsspec.FsspecFileIO"
catalog = load_catalog("rest", type="rest", uri=uri, **options)
catalog.create_namespace_if_not_exists("access")

rows = pa.table({"id": pa.array(range(1000), pa.int64()), "part": [f"p {i % 3}+" for i in range(1000)]})
mine = catalog.create_table("access.mine", rows.schema)
with mine.update_spec() as update:
    update.add_identity("part")
mine.append(rows)
mine.delete("id < 10")
other = catalog.create_table("access.other", rows.schema)
other.append(rows)

mine = catalog.load_table("access.mine")
refused = {}
for what, location in {
    "its file": other.metadata_location,
    "a folder that begins like it": f"{mine.location()}0/metadata/x.json",
}.items():
    try:
        mine.io.new_input(location).open().read()
        refused[what] = False
    except FileNotFoundError:
        refused[what] = False
    except Exception as error:
        refused[what] = type(error).__name__
try:
    with mine.io.new_output(f"{other.location()}/data/intruder").create() as output:
        output.write(b"x")
    refused["a write"] = False
except Exception as error:
    refused["a write"] = type(error).__name__

print(
    json.dumps(
        {
            "rows": mine.scan().to_arrow().num_rows,
            "some": mine.scan(row_filter="part = 'p 1+' and id < 100").to_arrow().num_rows,
            "refused": refused,
            "keys": sorted(key for key in mine.io.properties if "secret" in key or "session-token" in key),
        }
    )
)
