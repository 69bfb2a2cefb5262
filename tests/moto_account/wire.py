"""What one AWS request asks for, and the answers in the protocol it came in."""

import json
import re
from dataclasses import dataclass
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

import cbor2

SERVICES = {"monitoring": "cloudwatch"}
LAMBDA_PATHS = {"configuration": "GetFunctionConfiguration", "policy": "GetPolicy", "concurrency": "GetFunctionConcurrency"}


@dataclass
class Request:
    """One request of a client, as far as the proxy must understand it."""

    key: str
    region: str
    service: str
    operation: str
    protocol: str
    body: bytes

    @property
    def action(self) -> str:
        """The operation with its service, as IAM writes actions."""
        return f"{self.service}:{self.operation}"

    def form(self) -> dict[str, list[str]]:
        return parse_qs(self.body.decode(), keep_blank_values=True)

    def json(self) -> dict:
        return json.loads(self.body or b"{}")

    def cbor(self) -> dict:
        return cbor2.loads(self.body)


def understand(method: str, path: str, headers, body: bytes) -> Request:
    """Reads key, region and service from the signature, and the operation from wherever the protocol keeps it."""
    scope = re.search(r"Credential=([^/]+)/\d+/([^/]+)/([^/]+)/", headers.get("Authorization", ""))
    key, region, service = scope.groups() if scope else ("", "", "")
    service = SERVICES.get(service, service)
    target = headers.get("X-Amz-Target")
    if target:
        return Request(key, region, service, target.rsplit(".", 1)[-1], "json", body)
    if headers.get("Smithy-Protocol") == "rpc-v2-cbor":
        return Request(key, region, service, path.rsplit("/", 1)[-1], "cbor", body)
    if service == "lambda":
        last = path.split("?")[0].rsplit("/", 1)[-1]
        return Request(key, region, service, LAMBDA_PATHS.get(last, f"{method} {path}") if method == "GET" else f"{method} {path}",
                       "rest", body)
    form = parse_qs(body.decode("utf-8", "replace"))
    return Request(key, region, service, form.get("Action", [f"{method} {path}"])[0], "query", body)


Answer = tuple[int, dict[str, str], bytes]


def success(request: Request, value) -> Answer:
    """A result: a dictionary, or for the query protocol the XML inside the result element."""
    if request.protocol == "cbor":
        return 200, {"Content-Type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}, cbor2.dumps(value)
    if request.protocol == "query":
        name = request.operation
        text = (f'<{name}Response xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><{name}Result>{value}</{name}Result>'
                f"<ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></{name}Response>")
        return 200, {"Content-Type": "text/xml"}, text.encode()
    return 200, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(value).encode()


def failure(request: Request, status: int, code: str, message: str) -> Answer:
    if request.protocol == "cbor":
        body = cbor2.dumps({"__type": f"com.amazonaws.cloudwatch#{code}", "message": message})
        return status, {"Content-Type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}, body
    if request.service == "ec2":
        text = (f"<Response><Errors><Error><Code>{code}</Code><Message>{escape(message)}</Message></Error></Errors>"
                "<RequestID>r</RequestID></Response>")
        return status, {"Content-Type": "text/xml"}, text.encode()
    if request.protocol == "query":
        kind = "Receiver" if status >= 500 else "Sender"
        text = (f"<ErrorResponse><Error><Type>{kind}</Type><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
                "<RequestId>r</RequestId></ErrorResponse>")
        return status, {"Content-Type": "text/xml"}, text.encode()
    headers = {"Content-Type": "application/json", "X-Amzn-ErrorType": code}
    return status, headers, json.dumps({"__type": code, "message": message, "Message": message}).encode()
