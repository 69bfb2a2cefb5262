"""What rotation functions print, as the official templates, drivers and runtimes word it."""

CREDENTIALS = "[INFO]\t{stamp}\t{id}\tFound credentials in environment variables."
TRACEBACK = 'Traceback (most recent call last):\n  File "/var/task/lambda_function.py", line 84, in lambda_handler\n    {call}'


def error(text: str) -> str:
    return "[ERROR]\t{stamp}\t{id}\t" + text


def info(text: str) -> str:
    return "[INFO]\t{stamp}\t{id}\t" + text


def raised(kind: str, text: str, call: str = "step(service_client, arn, token)") -> str:
    return f"[ERROR] {kind}: {text}\n" + TRACEBACK.replace("{call}", call)


def denied(operation: str, why: str = "", resource: str = "{arn}", action: str = "", code: str = "AccessDeniedException") -> str:
    """A ClientError of boto3; `why` is the reason that newer services add."""
    text = (f"An error occurred ({code}) when calling the {operation} operation: User: "
            "arn:aws:sts::{account}:assumed-role/{role}/{function} is not authorized to perform: "
            f"{action or 'secretsmanager:' + operation} on resource: {resource}")
    return raised("ClientError", f"{text} {why}".rstrip())


def no_identity_allow(operation: str, **more) -> str:
    return denied(operation, f"because no identity-based policy allows the secretsmanager:{operation} action", **more)


def login_failed() -> list[str]:
    """The pair of lines by which the templates say that no version of the secret could log in."""
    text = "Unable to log into database with previous, current, or pending secret of secret arn {arn}"
    return [CREDENTIALS, error(f"setSecret: {text}"), raised("ValueError", text)]
