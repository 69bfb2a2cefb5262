"""Checks the commands of a remedy as far as that is harmless: the shell's grammar, and botocore's own parameter validation."""

import json
import re
import shlex
import subprocess
from functools import cache

import botocore.session
from botocore.validate import ParamValidator

SESSION = botocore.session.get_session()
# Options that the command line of AWS adds to those of the API.
OWN_OPTIONS = {
    "region", "profile", "output", "query", "cli-binary-format",
    # Source: AWS CLI Command Reference, authorize-security-group-ingress.
    "protocol", "port", "source-group", "cidr",
    # Source: AWS CLI Command Reference, create-network-acl-entry.
    "ingress",
}


@cache
def service(name: str):
    return SESSION.get_service_model(name)


def faults_of_commands(findings: list[dict]) -> list[str]:
    return [f"{finding['cause']}: {fault}" for finding in findings for command in finding["remediation"]["commands"]
            for fault in faults(command)]


def faults(command: str) -> list[str]:
    grammar = subprocess.run(["bash", "-n"], input=command, capture_output=True, text=True)
    if grammar.returncode:
        return [f"bash refuses {command!r}: {grammar.stderr.strip()}"]
    found = []
    for line in command.splitlines():
        words = shlex.split(line, comments=True)
        while words:
            end = next((i for i, word in enumerate(words) if word in ("&&", "||", ";", "|")), len(words))
            found += invalid(words[:end], line)
            words = words[end + 1:]
    return found


def invalid(words: list[str], line: str) -> list[str]:
    if not words or words[0] != "aws":
        return []
    name, command, options = words[1], words[2], words[3:]
    if name == "logs" and command == "tail":
        return []
    model = service(name)
    if command == "wait":
        # Source: AWS CLI Command Reference, wait: the waiters of botocore, with the options of what they ask.
        waiters = SESSION.get_waiter_model(name)
        waiter = next((one for one in waiters.waiter_names if kebab(one) == options[0]), None)
        if waiter is None:
            return [f"{name} waits for no {options[0]}: {line}"]
        command, options = kebab(waiters.get_waiter(waiter).operation), options[1:]
    operation = next((model.operation_model(o) for o in model.operation_names if kebab(o) == command), None)
    if operation is None:
        return [f"{name} has no command {command}: {line}"]
    parameters, found = {}, []
    members = operation.input_shape.members if operation.input_shape else {}
    spelled = {kebab(member): member for member in members}
    while options:
        option = options.pop(0)
        values = []
        while options and not options[0].startswith("--"):
            values.append(options.pop(0))
        key = option.removeprefix("--")
        if key in OWN_OPTIONS and key not in spelled:
            continue
        negated = key.startswith("no-") and key not in spelled
        key = key.removeprefix("no-") if negated else key
        if key not in spelled:
            found.append(f"{name} {command} has no option {option}: {line}")
            continue
        shape = members[spelled[key]]
        parameters[spelled[key]] = typed(shape, values, negated)
    if command == "create-network-acl-entry":
        parameters.setdefault("Egress", False)
    if not found:
        report = ParamValidator().validate(parameters, operation.input_shape)
        if report.has_errors():
            found.append(f"{report.generate_report()}: {line}")
    return found


def typed(shape, values: list[str], negated: bool):
    text = " ".join(values)
    match shape.type_name:
        case "boolean":
            return not negated
        case "integer" | "long":
            return int(text) if text.isdigit() else text
        case "structure" | "map" if text.startswith("file://"):
            return {}
        case "list" if text.startswith("{") or text.startswith("["):
            return json.loads(text)
        case "list" if shape.member.type_name == "structure":
            return [shorthand(shape.member, value) for value in values]
        case "list":
            return values
        case "structure" | "map":
            return json.loads(text) if text.startswith("{") else shorthand(shape, text)
        case "blob":
            return b""
        case _:
            return text


def shorthand(shape, text: str) -> dict:
    """The short form of a structure: `Key=name,Values=one,two`."""
    pairs = dict(part.split("=", 1) for part in re.split(r",(?=\w+=)", text))
    members = getattr(shape, "members", {})
    unknown = {key: value for key, value in pairs.items() if key not in members}
    return unknown | {key: listed(value) if members[key].type_name == "list" else typed(members[key], [value], False)
                      for key, value in pairs.items() if key in members}


def listed(text: str) -> list:
    """A list within a short form: `one,two`, or `[{Key=one},{Key=two}]`."""
    if not text.startswith("[{"):
        return text.split(",")
    return [dict(pair.split("=", 1) for pair in one.split(",")) for one in text[2:-2].split("},{")]


def kebab(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "-", name).lower()
