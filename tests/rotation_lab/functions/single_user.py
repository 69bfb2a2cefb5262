"""Rotates the password of one user, who changes it alone."""

import logging
import os

from database import connect, probe, set_own_password
from secret import ENGINES, Rotation, run

logger = logging.getLogger()


def lambda_handler(event, context):
    rotation = Rotation(event, os.environ["ENGINE"])
    run(event, rotation, {"createSecret": create_secret, "setSecret": set_secret, "testSecret": test_secret,
                          "finishSecret": finish_secret})


def create_secret(rotation):
    rotation.create(lambda value: None)


def set_secret(rotation):
    previous, current, pending = rotation.previous(), rotation.current(), rotation.pending()
    engine = ENGINES[rotation.engine]
    connection = connect(pending, last_chance=False)
    if connection:
        connection.close()
        logger.info("setSecret: AWSPENDING secret is already set as password in %s DB for secret arn %s.", engine, rotation.arn)
        return
    refuse_to_change("user", current["username"], pending["username"])
    refuse_to_change("host", current["host"], pending["host"])
    connection = connect(current, last_chance=not previous)
    if not connection and previous:
        # What may have changed since is how to connect, not whom as.
        for key in ("ssl",):
            previous.pop(key, None)
            previous.update({key: current[key]} if key in current else {})
        connection = connect(previous, last_chance=False)
        if not connection:
            connect(current)
        refuse_to_change("user", previous["username"], pending["username"], "previous valid")
        refuse_to_change("host", previous["host"], pending["host"], "previous valid")
    if not connection:
        text = f"Unable to log into database with previous, current, or pending secret of secret arn {rotation.arn}"
        logger.error("setSecret: %s", text)
        raise ValueError(text)
    try:
        set_own_password(rotation.engine, connection, pending)
    finally:
        connection.close()
    logger.info("setSecret: Successfully set password for user %s in %s DB for secret arn %s.", pending["username"], engine, rotation.arn)


def refuse_to_change(what, known, wanted, word="current"):
    if known != wanted:
        logger.error("setSecret: Attempting to modify user %s%s other than %s %s %s", "for host " if what == "host" else "", wanted, word,
                     what, known)
        raise ValueError(f"Attempting to modify user {'for host ' if what == 'host' else ''}{wanted} other than {word} {what} {known}")


def test_secret(rotation):
    connection = connect(rotation.pending())
    if not connection:
        text = f"Unable to log into database with pending secret of secret ARN {rotation.arn}"
        logger.error("testSecret: %s", text)
        raise ValueError(text)
    try:
        probe(connection)
    finally:
        connection.close()
    logger.info("testSecret: Successfully signed into %s DB with AWSPENDING secret in %s.", ENGINES[rotation.engine], rotation.arn)


def finish_secret(rotation):
    rotation.finish()
