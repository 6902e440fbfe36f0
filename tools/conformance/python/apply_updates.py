"""Applies metadata updates with PyIceberg's own functions: one JSON object a line in, one a line out.

{"read": METADATA}                                  -> {"metadata": METADATA}, as PyIceberg reads and writes it
{"base": METADATA, "updates": [...], "now-ms": MS, "previous": LOCATION}
                                                    -> {"metadata": METADATA}, after the updates of one commit
METADATA is text, so that integers stay exact. Whatever goes wrong is {"error": TEXT}.
"""

import json
import sys
import warnings

from pydantic import TypeAdapter
from pyiceberg.table import update as table_update
from pyiceberg.table.metadata import TableMetadataUtil, TableMetadataV3
from pyiceberg.typedef import IcebergBaseModel

warnings.simplefilter("ignore")
updates_adapter = TypeAdapter(list[table_update.TableUpdate])


def parse(text):
    return TableMetadataUtil.parse_raw(text)


def dump(metadata):
    # Version 3 can be read, but PyIceberg's own writer of it refuses: its base class writes it all the same.
    if isinstance(metadata, TableMetadataV3):
        return IcebergBaseModel.model_dump_json(metadata)
    return metadata.model_dump_json()


def answer(request):
    if "read" in request:
        return dump(parse(request["read"]))
    # The commit happens at a time that the test knows.
    table_update.datetime_to_millis = lambda _: request["now-ms"]
    updates = updates_adapter.validate_json(request["updates"])
    return dump(
        table_update.update_table_metadata(
            parse(request["base"]), tuple(updates), metadata_location=request["previous"]
        )
    )


def main():
    for line in sys.stdin:
        try:
            result = {"metadata": answer(json.loads(line))}
        except Exception as error:
            result = {"error": f"{type(error).__name__}: {error}"[:4000]}
        print(json.dumps(result), flush=True)


main()
