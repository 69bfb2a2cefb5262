"""Lets Slack's own Python SDK read the messages that the tests took snapshots of.

Usage: python tests/slack_block_kit.py

Every block and view of tests/slack/snapshots has to survive being read and written again by slack_sdk, which knows Slack's
fields and limits and validates on the way. The SDK was written by others than the fake that the tests run against.
"""

import copy
import json
import logging
import pathlib
import sys

from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.blocks import Block
from slack_sdk.models.views import View

SNAPSHOTS = pathlib.Path(__file__).parent / "slack" / "snapshots"


class Complaints(logging.Handler):
    """The SDK only warns about what it does not know."""

    def __init__(self):
        super().__init__()
        self.told = []

    def emit(self, record):
        self.told.append(record.getMessage())


COMPLAINTS = Complaints()
logging.getLogger("slack_sdk").addHandler(COMPLAINTS)
logging.getLogger("slack_sdk").propagate = False


def snapshot(path):
    """The content of a snapshot behind its header; None where it is no JSON."""
    content = path.read_text(encoding="utf-8").split("---\n", 2)[2]
    try:
        return json.loads(content)
    except json.JSONDecodeError:
        return None


def problems(content):
    """What the SDK has against blocks, a message or a view."""
    COMPLAINTS.told.clear()
    found = []
    if isinstance(content, dict) and content.get("type") in ("modal", "home"):
        found += differences(content, View(**copy.deepcopy(content)))
    blocks = content["blocks"] if isinstance(content, dict) else content
    for block in blocks:
        found += differences(block, Block.parse(copy.deepcopy(block)))
    return found + COMPLAINTS.told


def differences(sent, read):
    if read is None:
        return [f"an unknown block: {sent}"]
    try:
        written = read.to_dict()
    except SlackObjectFormationError as error:
        return [f"{error}: {sent}"]
    return [] if written == sent else [f"sent {sent}, read {written}"]


def self_check(message):
    """The check finds what it is there for."""
    def broken(change):
        content = copy.deepcopy(message)
        change({block["type"]: block for block in content["blocks"]})
        return problems(content)

    changes = {
        "a header of 151 characters": lambda blocks: blocks["header"]["text"].update(text="x" * 151),
        "a section of 3001 characters": lambda blocks: blocks["section"]["text"].update(text="x" * 3001),
        "an unknown field": lambda blocks: blocks["rich_text"].update(colour="red"),
        "26 buttons": lambda blocks: blocks["actions"].update(elements=blocks["actions"]["elements"][:1] * 26),
        "a long button": lambda blocks: blocks["actions"]["elements"][0]["text"].update(text="x" * 76),
        "a long value": lambda blocks: blocks["actions"]["elements"][0].update(value="x" * 2001),
    }
    return [f"{what} was not found" for what, change in changes.items() if not broken(change)]


def main():
    messages = {path.name: content for path in sorted(SNAPSHOTS.glob("*.snap")) if (content := snapshot(path)) is not None}
    if len(messages) < 4:
        sys.exit(f"only {len(messages)} snapshots hold Block Kit")
    told = [f"{name}: {problem}" for name, content in messages.items() for problem in problems(content)]
    told += self_check(messages["slack__rendering__verdict.snap"])
    if told:
        sys.exit("\n".join(told))
    print(f"slack_sdk reads {len(messages)} snapshots as they were written")


main()
