"""The documented way to alarms, its commands run as they stand there, by AWS's own command line against moto.

Usage: setup_walk.py BINARY   (needs awscli, moto[server] and boto3)

What `rotation-diag check` advises on the way is run as it is advised, and in the end nothing may be missing. What the chats
see, and a subscription that waits for its confirmation, is in tests/setup.
"""

import logging
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

import boto3
import cfnlint.decode
from moto.server import ThreadedMotoServer

ROOT = pathlib.Path(__file__).parent.parent
REGION = "eu-west-1"
ALARMS = ("docs/alarms.md", "## Set up")
WEB_CONSOLE = ("docs/web-console.md", "## Set up")


def blocks(chapter, language):
    """The blocks of a chapter of a document in a language, without their indentation."""
    document, heading = chapter
    lines = (ROOT / document).read_text().split(f"\n{heading}\n", 1)[1].splitlines()
    level, found, is_open, wanted = len(heading.split()[0]), [], False, False
    for line in lines:
        text = line.strip()
        if text.startswith("```"):
            wanted = not is_open and text == f"```{language}"
            is_open = not is_open
            if wanted:
                found.append((len(line) - len(line.lstrip()), []))
        elif wanted:
            found[-1][1].append(line[found[-1][0]:])
        elif not is_open and text.startswith("#") and len(text.split()[0]) <= level:
            break
    assert found, (chapter, language)
    return ["\n".join(block) + "\n" for _, block in found]


def commands(chapter):
    text = "".join(blocks(chapter, "sh")).replace("\\\n", " ")
    return [line for line in text.splitlines() if line.strip()]


class Workplace:
    def __init__(self, binary, endpoint, folder):
        self.binary, self.folder = binary, folder
        self.environment = {
            "PATH": f"{pathlib.Path(sys.executable).parent}:/usr/bin:/bin",
            "HOME": folder,
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "ROTATION_DIAG_PAGE_TOKEN": "0123456789abcdef0123456789abcdef",
            # The bot's public address is nowhere: nobody listens there.
            "HTTPS_PROXY": "http://127.0.0.1:9",
        }

    def run(self, command):
        print(f"$ {' '.join(command.split())}", flush=True)
        done = subprocess.run(["sh", "-euc", command], cwd=ROOT, env=self.environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def check(self):
        """What is missing, and all that was said."""
        arguments = [self.binary, "check", "--config", f"{self.folder}/rotation-diag.toml"]
        done = subprocess.run(arguments, cwd=self.folder, env=self.environment, capture_output=True, text=True)
        missing = [line for line in done.stdout.splitlines() if line.startswith("✗")]
        assert done.returncode == (1 if missing else 0), done.stdout + done.stderr
        return missing, done.stdout


def check_capabilities(command):
    """CloudFormation refuses a template that names a role unless it is told that this is meant."""
    words = shlex.split(command)
    template, problems = cfnlint.decode.decode(str(ROOT / words[words.index("--template-file") + 1]))
    assert not problems, problems
    roles = [one for one in template["Resources"].values() if one["Type"].startswith("AWS::IAM::")]
    is_named = any("RoleName" in one["Properties"] for one in roles)
    needed = "CAPABILITY_NAMED_IAM" if is_named else "CAPABILITY_IAM" if roles else None
    given = words[words.index("--capabilities") + 1] if "--capabilities" in words else None
    assert given == needed, f"{command}: {needed} is needed"


def walk(binary, endpoint, folder):
    workplace = Workplace(binary, endpoint, folder)
    client = {name: boto3.client(name, REGION, endpoint_url=endpoint) for name in ("cloudtrail", "logs", "sqs")}
    reader, deploy, publish = commands(ALARMS)
    for command in (reader, deploy):
        check_capabilities(command)
    # The route of the chapter leads to Slack; here the page takes its place.
    alarms = "".join(blocks(ALARMS, "toml"))
    for written, instead in (('"slack"', '"console"'), ('"T0123456789"', '"local"'), ('"C0123456789"', '"page"')):
        assert alarms.count(written) == 1, written
        alarms = alarms.replace(written, instead)
    # moto never says with which version a topic signs.
    assert alarms.count("[alarms.sns]\n") == 1
    alarms = alarms.replace("[alarms.sns]\n", '[alarms.sns]\nsignature_versions = ["1", "2"]\n')
    page = "".join(blocks(WEB_CONSOLE, "toml"))
    (pathlib.Path(folder) / "rotation-diag.toml").write_text(f'{page}\n{alarms}\n[http]\nlisten = "127.0.0.1:0"\n')
    client["logs"].create_log_group(logGroupName="my-trail")

    def make_trail():
        boto3.client("s3", "us-east-1", endpoint_url=endpoint).create_bucket(Bucket="trail")
        client["cloudtrail"].create_trail(Name="my-trail", S3BucketName="trail")

    def queue():
        (url,) = client["sqs"].list_queues()["QueueUrls"]
        return client["sqs"].get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]

    workplace.run(reader)
    # moto makes no subscription of alarms.yaml, so that the advice for that is needed too.
    rounds = [
        ["there is no such topic"],
        ["nobody is subscribed over https", "no trail records this region"],
        ["it has no dead-letter queue"],
        [],
    ]
    for expected in rounds:
        missing, said = workplace.check()
        assert len(missing) == len(expected), said
        for line, words in zip(missing, expected):
            assert words in line, said
            print(f"  {line}")
            if "aws sns" in line:
                workplace.run(line[line.index("aws sns"):].replace("QUEUE_ARN", queue() if "QUEUE_ARN" in line else ""))
            elif "no trail" in line:
                make_trail()
            else:
                workplace.run(deploy)
                # While nobody is subscribed: moto would call them.
                workplace.run(publish)
    topic = re.search(r"--topic-arn (\S+)", publish)[1]
    row = rf"(?m)^✓  alarms of {re.escape(topic)}  +the subscription of https://bot\.example\.com/sns is confirmed$"
    assert re.search(row, said), said
    print(said)


def main(binary):
    # What moto does not play is told by `check`, and needs no traceback.
    logging.getLogger("werkzeug").setLevel(logging.CRITICAL)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        os.environ.update(AWS_ACCESS_KEY_ID="testing", AWS_SECRET_ACCESS_KEY="testing")
        with tempfile.TemporaryDirectory() as folder:
            walk(str(pathlib.Path(binary).resolve()), f"http://{host}:{port}", folder)
    finally:
        server.stop()
    print("the documented way to alarms ends with nothing missing")


if __name__ == "__main__":
    main(sys.argv[1])
