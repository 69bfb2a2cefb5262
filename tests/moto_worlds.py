"""Diagnoses worlds built with boto3 on moto with the real binary: a second opinion, independent of our own simulator.

moto answers neither LookupEvents nor SimulatePrincipalPolicy, and does not speak CloudWatch's CBOR protocol; a proxy before
it adds these, injects faults, and remembers what the binary asked.

Usage: moto_worlds.py path/to/rotation-diag [world ...]; with names of worlds, their reports are printed.
"""

import gc
import json
import logging
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

# Plans attach policies of AWS's own, which moto knows only when told before it is loaded.
os.environ.setdefault("MOTO_IAM_LOAD_MANAGED_POLICIES", "true")

from moto.server import ThreadedMotoServer  # noqa: E402

from moto_account.carrying import carry_out, is_of_configuration, needs_a_person, rotates, stopped
from moto_account.commands import faults_of_commands
from moto_account.world import CANARY, REGION, Expected, World
from moto_account.worlds import WORLDS

# What EC2 answers to the ids of a network that nobody built.
NO_NETWORK = re.compile(r"Invalid(VpcID|Group|GroupId|SubnetID)\.NotFound")
# What becomes of a plan that is carried out, unless something goes wrong.
FATES = ("healed", "asked", "unbuilt", "foretold")

ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_REGION": REGION, "AWS_EC2_METADATA_DISABLED": "true",
    "NO_COLOR": "1",
}
READS = re.compile(r"^\w+:(Describe|Get|List|Lookup|Filter|Search|Simulate|StartQuery)\w*$")
FORBIDDEN = {"secretsmanager:GetSecretValue", "secretsmanager:BatchGetSecretValue", "lambda:GetFunction", "kms:Decrypt"}
# Of 100 verdicts so many must be right at least.
HELD = {"confirmed": 99, "likely": 85, "possible": 50}
VERDICTS = {}
EXIT = {"healthy": 0, "root_cause": 3, "inconclusive": 4, "not_found": 3}


def one_of(value, admitted) -> bool:
    return value in (admitted if isinstance(admitted, tuple) else (admitted,))


def complaints(report: dict, expected: Expected, code: int, asked: list[str]) -> list[str]:
    """Everything about the report that an expert would object to."""
    findings, text = report["findings"], json.dumps(report, ensure_ascii=False)
    causes = [finding["cause"] for finding in findings]
    outcome = report["outcome"]
    found = []
    if not one_of(outcome, expected.outcome):
        found.append(f"outcome {outcome}, expected {expected.outcome}")
    if expected.cause and outcome != "inconclusive" and outcome != "healthy" and not (causes and one_of(causes[0], expected.cause)):
        found.append(f"first cause {causes[:1]}, expected {expected.cause}")
    if expected.confidence and findings and not one_of(findings[0]["confidence"].title(), expected.confidence):
        found.append(f"confidence {findings[0]['confidence']}, expected {expected.confidence}")
    found += [f"{cause} is missing" for cause in expected.also if cause not in causes]
    found += [f"{cause} must not be found" for cause in expected.never if cause in causes]
    found += [f"says nothing of {word!r}" for word in expected.says if word not in text]
    found += [f"says {word!r}" for word in expected.silent_about if word in text]
    steps = {step["number"]: step for step in report["steps"]}
    if sorted(steps) != list(range(1, 10)):
        found.append(f"steps {sorted(steps)}")
    found += [f"step {number} is {steps[number]['status']}, expected {status}"
              for number, status in expected.steps.items() if steps[number]["status"] != status]
    found += [f"does not ask for {right}" for right in expected.needs
              if right not in json.dumps([step["needs_permission"] for step in report["steps"]] + report["not_checked"])]
    if outcome == "inconclusive" and not report["not_checked"]:
        found.append("inconclusive, and says of nothing that it was not checked")
    if outcome == "healthy" and any(f["severity"] not in ("info", "low") for f in findings):
        found.append(f"healthy with {[(f['cause'], f['severity']) for f in findings]}")
    if CANARY in text:
        found.append("a secret's value leaked")
    if code != EXIT[outcome]:
        found.append(f"exit status {code} for {outcome}")
    found += [f"called {action}" for action in sorted(set(asked)) if not READS.match(action) or action in FORBIDDEN]
    return found + faults_of_commands(findings)


def diagnose(binary: str, world: World, *arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run([binary, "diagnose", world.asks_for, *arguments], capture_output=True, text=True, timeout=120,
                          env={**os.environ, **ENVIRONMENT, "AWS_ENDPOINT_URL": world.proxy.endpoint})


def judge(binary: str, moto: tuple[str, int], number: int, build, verbose: bool) -> tuple[str, list[str], str, str, str | None]:
    name = build.__name__
    world = World(moto, number, name.replace("_", "-"))
    try:
        expected = build(world)
        run = diagnose(binary, world, "--format", "json", "--exit-code")
        try:
            report = json.loads(run.stdout)
        except ValueError:
            return name, [f"exit {run.returncode}, no report: {run.stderr.strip()[-500:]}"], "", "", None
        verdict = f"{report['outcome']} {report['findings'][0]['cause'] if report['findings'] else '-'}"
        found = complaints(report, expected, run.returncode, world.proxy.asked)
        weigh(report, expected)
        mended = mend(binary, world, report) if not found and is_of_configuration(report) else None
        detail = run.stdout + run.stderr + "\n".join(world.proxy.asked) + diagnose(binary, world).stdout if verbose else ""
        return name, found, verdict, detail, mended
    except Exception as error:  # noqa: BLE001 - a world that cannot be built must not hide the verdicts on the others
        return name, [f"{type(error).__name__}: {error}"], "", "", None
    finally:
        world.proxy.stop()


def weigh(report: dict, expected: Expected):
    """Counts the leading verdict as right or wrong, by how sure it says it is."""
    leading = [finding for finding in report["findings"][:1] if finding["severity"] != "info"]
    if leading and expected.cause:
        right = one_of(leading[0]["cause"], expected.cause)
        VERDICTS.setdefault(leading[0]["confidence"], []).append(right)


def calibration() -> int:
    """Prints how often verdicts are right, and returns how many kinds are right too rarely."""
    broken = 0
    for confidence, verdicts in sorted(VERDICTS.items()):
        share = 100 * sum(verdicts) / len(verdicts)
        broken += share < HELD[confidence]
        print(f"of {len(verdicts)} verdicts called {confidence}, {sum(verdicts)} are right: {share:.1f} %, held at {HELD[confidence]} %")
    return broken


def mend(binary: str, world: World, report: dict) -> str:
    """Carries the printed plan out: `healed`, `asked` where a person has to say something, `unbuilt` where it mends a network
    that nobody built, `foretold`, or what went wrong."""
    if needs_a_person(report):
        return "asked"
    failed = carry_out(world, report)
    if failed and not world.network and all(NO_NETWORK.search(one) for one in failed):
        return "unbuilt"
    if failed:
        return "; ".join(failed)
    if any("aws iam create-role " in step["command"] for step in report["plan"]):
        # The proxy answers simulations; it was told to know no such role.
        world.proxy.faults.pop("iam:SimulatePrincipalPolicy", None)
    again = json.loads(diagnose(binary, world, "--format", "json").stdout)
    obstacles = [obstacle["cause"] for obstacle in again["forecast"]["obstacles"] if obstacle["confidence"] != "possible"]
    states = [cause for cause in obstacles if cause != again["findings"][0]["cause"]] if again["findings"] else obstacles
    if report["heals"] is False:
        return "foretold" if obstacles else "nothing stands in the way, but the report said so"
    if states or stopped(world):
        return f"still in the way: {states} {stopped(world)}"
    rotates(world)
    after = json.loads(diagnose(binary, world, "--format", "json").stdout)
    if after["outcome"] == "healthy":
        return "healed"
    return f"{after['outcome']} {[finding['cause'] for finding in after['findings']]} after the plan"


def main() -> int:
    binary, only = sys.argv[1], {name.replace("-", "_") for name in sys.argv[2:]}
    logging.disable(logging.CRITICAL)
    # Each client of a world is a class of its own: looking for garbage among them takes ever longer, and finds little.
    gc.disable()
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    chosen = [(number, build) for number, build in enumerate(WORLDS) if not only or build.__name__ in only]
    failed, fates = 0, {}
    with ThreadPoolExecutor(6) as pool:
        for name, found, verdict, detail, mended in pool.map(
                lambda job: judge(binary, server.get_host_and_port(), *job, bool(only)), chosen):
            failed += bool(found)
            print(f"{'FAILED' if found else 'ok    '} {name}: {verdict}{' — ' if found else ''}{'; '.join(found)}", flush=True)
            if detail:
                print(detail)
            if mended:
                fates.setdefault(mended if mended in FATES else "failed", []).append(f"{name}: {mended}")
    server.stop()
    healed, broken = len(fates.get("healed", [])), fates.get("failed", [])
    share = 100 * healed / max(1, healed + len(broken))
    print("\n".join(f"not healed: {one}" for one in broken))
    print(f"plans carried out: {healed} of {healed + len(broken)} healed ({share:.1f} %), {len(fates.get('asked', []))} ask a person, "
          f"{len(fates.get('unbuilt', []))} mend a network that was not built, "
          f"{len(fates.get('foretold', []))} mend not everything, as the report says")
    if not only:
        failed += (share < 98) + calibration()
    print(f"{len(chosen) - failed} passed, {failed} failed")
    return 1 if failed or not chosen else 0


if __name__ == "__main__":
    sys.exit(main())
