"""What both strategies share: the frame of the four steps, and the reading of the secret's versions."""

import json
import logging
import os

import boto3

logger = logging.getLogger()
logger.setLevel(logging.INFO)

ENGINES = {"postgres": "PostgreSQL", "mysql": "MariaDB"}
REQUIRED = ("host", "username", "password")


class Rotation:
    """One rotation of one secret to one new version."""

    def __init__(self, event, engine):
        self.arn, self.token, self.engine = event["SecretId"], event["ClientRequestToken"], engine
        self.client = boto3.client("secretsmanager", endpoint_url=os.environ["SECRETS_MANAGER_ENDPOINT"])

    def begin(self) -> bool:
        """Whether the version still waits for its rotation."""
        described = self.client.describe_secret(SecretId=self.arn)
        if not described.get("RotationEnabled", True):
            logger.error("Secret %s is not enabled for rotation", self.arn)
            raise ValueError(f"Secret {self.arn} is not enabled for rotation")
        labels = described["VersionIdsToStages"].get(self.token)
        if labels is None:
            logger.error("Secret version %s has no stage for rotation of secret %s.", self.token, self.arn)
            raise ValueError(f"Secret version {self.token} has no stage for rotation of secret {self.arn}.")
        if "AWSCURRENT" in labels:
            logger.info("Secret version %s already set as AWSCURRENT for secret %s.", self.token, self.arn)
            return False
        if "AWSPENDING" not in labels:
            logger.error("Secret version %s not set as AWSPENDING for rotation of secret %s.", self.token, self.arn)
            raise ValueError(f"Secret version {self.token} not set as AWSPENDING for rotation of secret {self.arn}.")
        return True

    def value(self, label, token=None, arn=None, required=REQUIRED) -> dict:
        version = {"VersionId": token} if token else {}
        text = self.client.get_secret_value(SecretId=arn or self.arn, VersionStage=label, **version)["SecretString"]
        value = json.loads(text)
        if value.get("engine") != self.engine:
            raise KeyError(f"Database engine must be set to '{self.engine}' in order to use this rotation lambda")
        for key in required:
            if key not in value:
                raise KeyError(f"{key} key is missing from secret JSON")
        return value

    def current(self):
        return self.value("AWSCURRENT")

    def pending(self):
        return self.value("AWSPENDING", self.token)

    def previous(self):
        try:
            return self.value("AWSPREVIOUS")
        except (self.client.exceptions.ResourceNotFoundException, KeyError):
            return None

    def create(self, change):
        """Stores the new version, which `change` makes of the current value, unless an earlier try has."""
        current = self.current()
        try:
            self.pending()
            logger.info("createSecret: Successfully retrieved secret for %s.", self.arn)
        except self.client.exceptions.ResourceNotFoundException:
            change(current)
            current["password"] = self.random_password()
            self.client.put_secret_value(SecretId=self.arn, ClientRequestToken=self.token, SecretString=json.dumps(current),
                                         VersionStages=["AWSPENDING"])
            logger.info("createSecret: Successfully put secret for ARN %s and version %s.", self.arn, self.token)

    def random_password(self):
        def on(name):
            return os.environ.get(name, "false").lower() in ("1", "true", "yes")

        return self.client.get_random_password(
            ExcludeCharacters=os.environ.get("EXCLUDE_CHARACTERS", "/@\"'\\"), PasswordLength=int(os.environ.get("PASSWORD_LENGTH", "32")),
            ExcludeNumbers=on("EXCLUDE_NUMBERS"), ExcludePunctuation=on("EXCLUDE_PUNCTUATION"),
            ExcludeUppercase=on("EXCLUDE_UPPERCASE"), ExcludeLowercase=on("EXCLUDE_LOWERCASE"),
            RequireEachIncludedType=os.environ.get("REQUIRE_EACH_INCLUDED_TYPE", "true").lower() == "true")["RandomPassword"]

    def finish(self):
        described = self.client.describe_secret(SecretId=self.arn)
        current = next((version for version, labels in described["VersionIdsToStages"].items() if "AWSCURRENT" in labels), None)
        if current == self.token:
            logger.info("finishSecret: Version %s already marked as AWSCURRENT for %s", self.token, self.arn)
            return
        self.client.update_secret_version_stage(SecretId=self.arn, VersionStage="AWSCURRENT", MoveToVersionId=self.token,
                                                RemoveFromVersionId=current)
        logger.info("finishSecret: Successfully set AWSCURRENT stage to version %s for secret %s.", self.token, self.arn)


def run(event, rotation, steps):
    """The handler of both functions."""
    if not rotation.begin():
        return
    if event["Step"] not in steps:
        raise ValueError("Invalid step parameter")
    steps[event["Step"]](rotation)
