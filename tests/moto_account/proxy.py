"""A reverse proxy before moto: it adds the operations moto lacks, injects faults and remembers what was asked."""

import http.client
import json
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import cbor2

from .simulation import simulate
from .wire import Answer, Request, failure, success, understand

BUILDER_KEY = "builder"
PAGE = 50


@dataclass
class Fault:
    """How an operation is disturbed: `times` calls long, or always."""

    kind: str
    times: int = 10**9
    seconds: float = 0.0


class Proxy:
    """One account's endpoint. What a world declares is read when a request comes, so it may be declared at any time."""

    def __init__(self, moto: tuple[str, int], account: str):
        self.moto, self.account = moto, account
        self.events: list[dict] = []
        self.metrics: dict[tuple[str, str], list[tuple[float, float]]] = {}
        self.simulated: dict[str, str] = {}
        self.organization: list[dict] = []
        self.health: list[dict] | None = None
        self.patches: dict[str, dict] = {}
        self.faults: dict[str, Fault] = {}
        self.asked: list[str] = []
        self.lock = threading.Lock()
        proxy = self

        class Connection(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def serve(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                status, headers, answer = proxy.answer(self.command, self.path, self.headers, body)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                try:
                    self.wfile.write(answer)
                except BrokenPipeError:
                    # Whoever asked has stopped waiting.
                    self.close_connection = True

            do_GET = do_POST = do_PUT = do_DELETE = serve

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Connection)
        self.server.daemon_threads = True
        self.endpoint = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def answer(self, method, path, headers, body) -> Answer:
        request = understand(method, path, headers, body)
        if request.key == BUILDER_KEY:
            return self.forward(method, path, headers, body)
        disturbed = self.disturb(request)
        if disturbed:
            return disturbed
        own = {
            "cloudtrail:LookupEvents": self.lookup_events, "cloudwatch:GetMetricData": self.metric_data,
            "iam:SimulatePrincipalPolicy": self.simulation, "health:DescribeEvents": self.health_events,
        }.get(request.action)
        if own:
            return own(request)
        status, answer_headers, answer = self.forward(method, path, headers, body)
        if status == 200 and request.action in self.patches:
            answer = json.dumps(patched(json.loads(answer), self.patches[request.action])).encode()
        return status, answer_headers, answer

    def disturb(self, request: Request) -> Answer | None:
        with self.lock:
            self.asked.append(request.action)
            fault = self.faults.get(request.action) or self.faults.get(f"{request.service}:*") or self.faults.get("*")
            if fault is None or fault.times <= 0:
                return None
            fault.times -= 1
        time.sleep(fault.seconds)
        me = f"arn:aws:sts::{self.account}:assumed-role/rotation-diag/bot"
        match fault.kind:
            case "deny":
                code = {"iam": "AccessDenied", "cloudwatch": "AccessDenied", "rds": "AccessDenied", "ec2": "UnauthorizedOperation"}.get(
                    request.service, "AccessDeniedException")
                return failure(request, 403 if request.protocol != "json" else 400, code,
                               f"User: {me} is not authorized to perform: {request.action} because no identity-based policy "
                               f"allows the {request.action} action")
            case "throttle":
                # Lambda and CloudTrail each have their own word for it.
                code = {"lambda": "TooManyRequestsException", "iam": "Throttling", "cloudwatch": "Throttling",
                        "rds": "Throttling", "ec2": "RequestLimitExceeded"}.get(
                    request.service, "ThrottlingException")
                return failure(request, 429 if request.service == "lambda" else 400, code, "Rate exceeded")
            case "500":
                return failure(request, 500, "InternalFailure", "An internal error occurred.")
            case "unavailable":
                return 503, {"Content-Type": "text/html"}, b"<html><body>503 Service Unavailable</body></html>"
            case "missing":
                return failure(request, 400, "ResourceNotFoundException", "The specified resource does not exist.")
            case "no such role":
                return failure(request, 404, "NoSuchEntity", "The role cannot be found.")
            case "slow":
                return None
            case other:
                raise ValueError(f"no fault is called {other}")

    def forward(self, method, path, headers, body) -> Answer:
        connection = http.client.HTTPConnection(*self.moto, timeout=60)
        passed = {name: value for name, value in headers.items() if name.lower() not in ("connection", "accept-encoding")}
        connection.request(method, path, body, {**passed, "x-moto-account-id": self.account})
        response = connection.getresponse()
        answer = response.read()
        kept = {name: value for name, value in response.getheaders()
                if name.lower() not in ("content-length", "transfer-encoding", "connection", "server", "date")}
        connection.close()
        return response.status, kept, answer

    def lookup_events(self, request: Request) -> Answer:
        asked = request.json()
        attributes = asked.get("LookupAttributes") or []
        if len(attributes) > 1:
            return failure(request, 400, "InvalidLookupAttributesException", "only one attribute is allowed")
        found = [
            event for event in sorted(self.events, key=lambda event: -event["EventTime"])
            if event["region"] == request.region
            and asked.get("StartTime", 0) <= event["EventTime"] <= asked.get("EndTime", 1e12)
            and all(matches(event, attribute) for attribute in attributes)
        ]
        first = int(asked.get("NextToken") or 0)
        page = found[first:first + min(asked.get("MaxResults", PAGE), PAGE)]
        answer = {"Events": [{name: value for name, value in event.items() if name != "region"} for event in page]}
        if first + len(page) < len(found):
            answer["NextToken"] = str(first + len(page))
        return success(request, answer)

    def metric_data(self, request: Request) -> Answer:
        asked = request.cbor()
        start, end = asked["StartTime"].timestamp(), asked["EndTime"].timestamp()
        results = []
        for query in asked["MetricDataQueries"]:
            stat = query["MetricStat"]
            metric, period = stat["Metric"], stat["Period"]
            function = {d["Name"]: d["Value"] for d in metric.get("Dimensions", [])}.get("FunctionName", "")
            buckets: dict[int, list[float]] = {}
            for at, value in self.metrics.get((function, metric["MetricName"]), []):
                if start <= at < end:
                    buckets.setdefault(int(at // period * period), []).append(value)
            fold = {"Sum": sum, "Maximum": max, "Minimum": min, "Average": lambda all_: sum(all_) / len(all_)}[stat["Stat"]]
            times = sorted(buckets, reverse=True)
            results.append({"Id": query["Id"], "Label": metric["MetricName"], "StatusCode": "Complete",
                            "Timestamps": [Epoch(at) for at in times], "Values": [float(fold(buckets[at])) for at in times]})
        return success(request, tagged({"MetricDataResults": results, "Messages": []}))

    def simulation(self, request: Request) -> Answer:
        return success(request, simulate(self.account, request.form(), self.simulated, self.organization))

    def health_events(self, request: Request) -> Answer:
        if self.health is None:
            return failure(request, 400, "SubscriptionRequiredException", "Subscription required")
        events = [{name: Epoch(value) if name.endswith("Time") else value for name, value in event.items()} for event in self.health]
        return success(request, tagged({"events": events}))


def matches(event: dict, attribute: dict) -> bool:
    key, value = attribute["AttributeKey"], attribute["AttributeValue"]
    if key == "ResourceName":
        return any(resource["ResourceName"] == value for resource in event.get("Resources", []))
    return event.get(key) == value


def patched(answer: dict, patch: dict) -> dict:
    """Replaces what the patch names; `None` takes a member away, a function makes the new value from the old one."""
    for name, value in patch.items():
        if value is None:
            answer.pop(name, None)
        else:
            answer[name] = value(answer.get(name)) if callable(value) else value
    return answer


class Epoch(float):
    """A point in time, in seconds since 1970; CBOR marks it with tag 1."""


def tagged(value):
    match value:
        case Epoch():
            return cbor2.CBORTag(1, float(value))
        case dict():
            return {name: tagged(inner) for name, inner in value.items()}
        case list():
            return [tagged(inner) for inner in value]
        case _:
            return value
