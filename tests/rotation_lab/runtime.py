"""Lambda's runtime, as far as a rotation notices it: a process of its own for each invocation, the environment of the function's
configuration, the log's text format, the timeout that ends it.

Usage: runtime.py   One JSON object a line on standard input: `handler`, `event`, `environment`, `timeout`, `request`; the answer,
one line, has `lines`, `failed`, `status` and `seconds`. Everything slow is imported once, before the invocations are forked off.
"""

import contextlib
import importlib
import io
import json
import logging
import os
import select
import signal
import sys
import time
import traceback
from datetime import datetime, timezone
from pathlib import Path

import boto3

FUNCTIONS = Path(__file__).parent / "functions"
TASK = "/var/task"


class LambdaFormatter(logging.Formatter):
    """`[LEVEL]<tab>time<tab>request id<tab>message`."""

    def __init__(self, request, shift):
        super().__init__()
        self.request, self.shift = request, shift

    def format(self, record):
        at = datetime.fromtimestamp(record.created + self.shift, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
        return f"[{record.levelname}]\t{at}\t{self.request}\t{record.getMessage()}"


class Sender(logging.Handler):
    def __init__(self, pipe):
        super().__init__()
        self.pipe = pipe

    def emit(self, record):
        send(self.pipe, self.format(record))


def send(pipe, text):
    os.write(pipe, (json.dumps(text) + "\n").encode())


def report(pipe, error):
    """An exception that nobody caught, as the runtime prints it."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename) != Path(__file__)]
    lines = [f"[ERROR] {type(error).__name__}: {error}", "Traceback (most recent call last):"]
    for frame in frames:
        name = frame.filename.replace(str(FUNCTIONS), TASK)
        name = TASK + name.split("site-packages", 1)[1] if "site-packages" in name else name
        lines += [f"\u00a0\u00a0File \"{name}\", line {frame.lineno}, in {frame.name}", f"\u00a0\u00a0\u00a0\u00a0{frame.line}"]
    send(pipe, "\n".join(lines))


def invoke(job, pipe):
    """The invocation, in the forked process."""
    os.environ.clear()
    os.environ.update(job["environment"])
    handler = Sender(pipe)
    handler.setFormatter(LambdaFormatter(job["request"], job["shift"]))
    logger = logging.getLogger()
    logger.handlers = [handler]
    module, name = job["handler"].rsplit(".", 1)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            getattr(importlib.import_module(module), name)(job["event"], None)
        return 0
    except BaseException as error:  # noqa: BLE001 - whatever it is, the runtime prints it
        report(pipe, error)
        return 1


def serve(job):
    reading, writing = os.pipe()
    began = time.monotonic()
    child = os.fork()
    if child == 0:
        os.close(reading)
        os._exit(invoke(job, writing))
    os.close(writing)
    received, timed_out = b"", False
    while True:
        left = job["timeout"] - (time.monotonic() - began)
        if left <= 0:
            timed_out = True
            os.kill(child, signal.SIGKILL)
            break
        if select.select([reading], [], [], left)[0]:
            part = os.read(reading, 65_536)
            if not part:
                break
            received += part
    os.close(reading)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    lines = [json.loads(line) for line in received.decode().splitlines()]
    seconds = job["timeout"] if timed_out else time.monotonic() - began
    return {"lines": lines, "failed": timed_out or code != 0, "status": "timeout" if timed_out else "", "seconds": seconds}


def main():
    sys.path.insert(0, str(FUNCTIONS))
    import alternating_users  # noqa: F401 - to be there in every fork
    boto3.client("secretsmanager", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x")
    for line in sys.stdin:
        print(json.dumps(serve(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
