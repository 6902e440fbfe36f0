"""Computes with botocore the signature of a request that was signed by others, and prints it.

Reads one JSON object from stdin: method, url, headers (all in lower case), body, region, service, access_key, secret_key.
"""

import json
import re
import sys

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

given = json.load(sys.stdin)
signed = re.search(r"SignedHeaders=([^,]*)", given["headers"]["authorization"]).group(1).split(";")
headers = {name: given["headers"][name] for name in signed}
request = AWSRequest(method=given["method"], url=given["url"], headers=headers, data=given["body"].encode() or None)
request.context["timestamp"] = given["headers"]["x-amz-date"]
auth = SigV4Auth(Credentials(given["access_key"], given["secret_key"]), given["service"], given["region"])
canonical = auth.canonical_request(request)
print(auth.signature(auth.string_to_sign(request, canonical), request))
