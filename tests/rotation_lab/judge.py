"""Runs every fault: the rotation fails, the program is asked, its plan is carried out, and two rotations follow."""

import json
import logging
import os
import re
import subprocess
import sys
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from moto.server import ThreadedMotoServer

from moto_account.world import REGION

from .faults import FAULTS
from .lab import CommandLine, Lab, Person, Runtimes
from .servers import MariaDb, Postgres

# More would stretch what takes milliseconds on a machine of its own to seconds, and seconds mean something in a verdict.
WORKERS = 4
LEAST = 0.95
# So many faults by name are shown in full; all of them are written into the folder that this variable names.
VERBOSE = 3
REPORTS = "LAB_REPORTS"
ASKED = 5
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_REGION": REGION, "AWS_EC2_METADATA_DISABLED": "true",
    "NO_COLOR": "1"}
# How a report says that applications are or may be cut off.
ANNOUNCED = re.compile(r"AWSCURRENT[^.]{0,120}(refuse|not log in|no longer|cannot|not take|not accept|does not|out of date|cut off)|"
                       r"(refuse|cut off|no longer accept|lock out)[^.]{0,120}AWSCURRENT", re.IGNORECASE)


@dataclass
class Result:
    name: str
    verdict: str = ""
    complaints: list[str] = field(default_factory=list)
    healed: bool = False
    broken: list[str] = field(default_factory=list)
    detail: str = ""
    seconds: float = 0.0


def plan_of(report):
    """The commands the report prints, in their order."""
    if report.get("plan"):
        return [step["command"] for step in report["plan"]]
    return report["findings"][0]["remediation"]["commands"] if report["findings"] else []


def text_of(report):
    first = report["findings"][0] if report["findings"] else {}
    remedy = first.get("remediation", {})
    parts = [report.get("headline"), first.get("title"), first.get("explanation"), remedy.get("summary"), remedy.get("warning"),
             *plan_of(report), *[str(step.get("effect")) for step in report.get("plan", [])]]
    return "\n".join(part for part in parts if part)


def misread(report, expected):
    if not report["findings"]:
        return [f"{report['outcome']} without a finding"]
    found, text = [], text_of(report)
    first = report["findings"][0]
    if first["cause"] not in expected.cause:
        found.append(f"first cause {first['cause']}, expected {'/'.join(expected.cause)}")
    found += [f"says nothing of {word!r}" for word in expected.says if not re.search(word, text, re.IGNORECASE)]
    found += [f"says {word!r}" for word in expected.never if re.search(word, text, re.IGNORECASE)]
    return found


def ask(binary, lab):
    """The program's report; on a machine so busy that a step ran into its deadline, a later one."""
    environment = {**os.environ, **ENVIRONMENT, "AWS_ENDPOINT_URL": lab.proxy.endpoint}
    for _ in range(ASKED):
        asked = subprocess.run([binary, "diagnose", lab.asks_for, "--format", "json"], capture_output=True, text=True, timeout=120,
                               env=environment)
        if asked.returncode:
            raise RuntimeError(f"exit {asked.returncode}: {asked.stderr[-500:]}")
        report = json.loads(asked.stdout)
        if all(step["status"] != "timed_out" for step in report["steps"]):
            break
    return report


def cut_off(lab, began, was_in, report):
    """Moments at which AWSCURRENT does not log in although it did, unless the report had said so.

    While a single user's rotation runs that is the strategy's own gap, and belongs to nobody's plan."""
    if ANNOUNCED.search(text_of(report)):
        return []
    found = []
    for when, refused in lab.moments[began:]:
        inside = re.match(r"\w+Secret of ", when) and lab.strategy == "single"
        if not refused:
            was_in = True
        elif was_in and not inside:
            found.append(f"{when}: {refused}")
    return found


def run(binary, moto, number, fault, servers, runtimes, command_line, verbose) -> Result:
    result, began, lab = Result(fault.name), time.monotonic(), None
    try:
        lab = Lab(moto, number, fault.name.replace("_", "-"), fault.engine, fault.strategy, fault.outspoken, servers, runtimes)
        expected = fault.build(lab)
        lab.moment("before the plan")
        was_in_before_the_fault = lab.moments[-1][1] == ""
        report = ask(binary, lab)
        result.verdict = f"{report['findings'][0]['cause']} ({report['findings'][0]['confidence']})" if report["findings"] else report["outcome"]
        result.complaints = misread(report, expected)
        if not was_in_before_the_fault and lab.after_set_secret and not ANNOUNCED.search(text_of(report)):
            result.complaints.append("AWSCURRENT is refused since setSecret, and the report does not say so")
        if expected.meanwhile:
            expected.meanwhile()
        start, person = len(lab.moments), Person(lab, expected, command_line)
        outcomes_before = len(lab.service.outcomes)
        result.broken = person.carry_out(plan_of(report))
        own = lab.service.outcomes[outcomes_before:]
        two = [lab.rotate(), lab.rotate()]
        lab.moment("at the end")
        result.broken += [f"the plan's own rotation {outcome}" for outcome in own if outcome != "succeeded"]
        result.broken += [f"rotation after the plan: {outcome}" for outcome in two if outcome != "succeeded"]
        result.broken += cut_off(lab, start, was_in_before_the_fault, report)
        if lab.moments[-1][1]:
            result.broken.append(f"in the end AWSCURRENT does not log in: {lab.moments[-1][1]}")
        result.healed = not result.broken
        if verbose:
            result.detail = json.dumps({key: report[key] for key in report if key in (
                "outcome", "headline", "plan", "heals", "forecast", "steps", "not_checked")} | {"findings": report["findings"][:2]}, indent=1,
                ensure_ascii=False) + "\n" + "\n".join(person.log) + "\n" + "\n".join(map(str, lab.moments))
            group = lab.logs.filter_log_events(logGroupName=lab.log_group, limit=10000)["events"]
            result.detail += "\n--- log\n" + "\n".join(event["message"].rstrip() for event in group[-120:])
    except Exception as error:  # noqa: BLE001 - one world that cannot be built must not hide the others
        result.broken.append(f"the lab: {type(error).__name__}: {error}")
        result.detail = traceback.format_exc() if verbose else ""
        result.complaints.append("the lab did not come to a verdict")
    finally:
        if lab:
            try:
                lab.close()
            except Exception as error:  # noqa: BLE001
                result.broken.append(f"the lab's end: {error}")
                result.healed = False
    result.seconds = time.monotonic() - began
    return result


def start_servers():
    main = Postgres("postgres-main", tls=True)
    servers = {"postgres-main": main, "postgres-reader": Postgres("postgres-reader", of=main),
               "postgres-plain": Postgres("postgres-plain", shared_preload_libraries="passwordcheck"),
               "postgres-small": Postgres("postgres-small", tls=True, max_connections=8),
               "mysql-main": MariaDb("mysql-main", tls=True), "mysql-second": MariaDb("mysql-second", tls=True)}
    return servers


def main():
    binary, only = sys.argv[1], set(sys.argv[2:])
    reports = Path(os.environ[REPORTS]) if REPORTS in os.environ else None
    chosen = [(number, fault) for number, fault in enumerate(FAULTS, 1)
              if not only or any(fault.name == name or fault.name.startswith(f"{name}_") for name in only)]
    chosen = chosen[::int(os.environ.get("LAB_EVERY", "1"))]
    logging.disable(logging.CRITICAL)
    began = time.monotonic()
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    servers, runtimes, command_line = start_servers(), Runtimes(WORKERS), CommandLine()
    results = []
    try:
        with ThreadPoolExecutor(WORKERS) as pool:
            for result in pool.map(lambda job: run(binary, moto.get_host_and_port(), *job, servers, runtimes, command_line,
                                                  reports or 0 < len(chosen) <= VERBOSE), chosen):
                results.append(result)
                print(f"{'healed' if result.healed else 'FAILED'} {'read' if not result.complaints else 'MISREAD'} {result.name} "
                      f"[{result.seconds:.0f} s]: {result.verdict}", flush=True)
                for text in result.complaints + result.broken:
                    print(f"         {text}")
                if result.detail and reports:
                    (reports / f"{result.name}.txt").write_text("\n".join(result.complaints + result.broken) + "\n" + result.detail)
                elif result.detail:
                    print(result.detail)
    finally:
        command_line.stop()
        runtimes.stop()
        for server in servers.values():
            server.stop()
        moto.stop()
    healed, read = sum(result.healed for result in results), sum(not result.complaints for result in results)
    print(f"{len(results)} faults: {read} read rightly, {healed} healed by their plan ({100 * healed / max(1, len(results)):.0f} %), "
          f"{time.monotonic() - began:.0f} s")
    return 0 if results and healed >= LEAST * len(results) and read == len(results) else 1
