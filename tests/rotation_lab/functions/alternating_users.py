"""Rotates between two users; a superuser, whose secret `masterarn` names, sets the other one's password."""

import logging
import os

from database import connect, set_password_of
from secret import ENGINES, Rotation, run
from single_user import finish_secret, test_secret

logger = logging.getLogger()
SUFFIX = "_clone"
LONGEST = {"postgres": 63, "mysql": 80}


def lambda_handler(event, context):
    rotation = Rotation(event, os.environ["ENGINE"])
    run(event, rotation, {"createSecret": create_secret, "setSecret": set_secret, "testSecret": test_secret,
                          "finishSecret": finish_secret})


def other_user(rotation, name):
    if name.endswith(SUFFIX):
        return name.removesuffix(SUFFIX)
    if len(name + SUFFIX) > LONGEST[rotation.engine]:
        raise ValueError(f"Unable to clone user, username length with {SUFFIX} appended would exceed {LONGEST[rotation.engine]} characters")
    return name + SUFFIX


def create_secret(rotation):
    def change(value):
        value["username"] = other_user(rotation, value["username"])

    rotation.create(change)


def set_secret(rotation):
    current, pending = rotation.current(), rotation.pending()
    engine = ENGINES[rotation.engine]
    connection = connect(pending, last_chance=False)
    if connection:
        connection.close()
        logger.info("setSecret: AWSPENDING secret is already set as password in %s DB for secret arn %s.", engine, rotation.arn)
        return
    if other_user(rotation, current["username"]) != pending["username"]:
        text = f"Attempting to modify user {pending['username']} other than current user or clone {current['username']}"
        logger.error("setSecret: %s", text)
        raise ValueError(text)
    if current["host"] != pending["host"]:
        text = f"Attempting to modify user for host {pending['host']} other than current host {current['host']}"
        logger.error("setSecret: %s", text)
        raise ValueError(text)
    connection = connect(current)
    if not connection:
        text = f"Unable to log into database using current credentials for secret {rotation.arn}"
        logger.error("setSecret: %s", text)
        raise ValueError(text)
    connection.close()
    superuser_arn = current["masterarn"]
    superuser = rotation.value("AWSCURRENT", arn=superuser_arn)
    superuser["dbname"] = current.get("dbname")
    if superuser["host"] != current["host"]:
        text = f"Current database host {current['host']} is not the same host as/rds replica of master {superuser['host']}"
        logger.error("setSecret: %s", text)
        raise ValueError(text)
    connection = connect(superuser)
    if not connection:
        text = f"Unable to log into database using credentials in master secret {superuser_arn}"
        logger.error("setSecret: %s", text)
        raise ValueError(text)
    try:
        set_password_of(rotation.engine, connection, current, pending)
    finally:
        connection.close()
    logger.info("setSecret: Successfully set password for user %s in %s DB for secret arn %s.", pending["username"], engine, rotation.arn)
