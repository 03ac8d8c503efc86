"""Whether the process in this container answers /healthz, asked under a name that it serves."""

import os
import sys
from http.client import HTTPConnection

host = os.environ.get("ALLOWED_HOSTS", "localhost").split(",")[0].lstrip("*.")
connection = HTTPConnection("127.0.0.1", int(os.environ.get("PORT", "8000")), timeout=4)
connection.request("GET", "/healthz", headers={"Host": host})
sys.exit(connection.getresponse().status != 200)
