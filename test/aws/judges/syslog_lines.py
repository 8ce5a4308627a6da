"""Reads syslog messages (RFC 5424) and the CEF in them, as other products do.

stdin:  [line, ...]
stdout: [{"syslog": header fields, "cef": header fields and extensions}, ...], in the same order. A line that does not parse is an error.
"""

import json
import sys

import pycef
from syslog_rfc5424_parser import SyslogMessage


def parsed(line: str) -> dict[str, object]:
    syslog = SyslogMessage.parse(line).as_dict()
    return {"syslog": syslog, "cef": pycef.parse(syslog["msg"])}


json.dump([parsed(line) for line in json.load(sys.stdin)], sys.stdout)
