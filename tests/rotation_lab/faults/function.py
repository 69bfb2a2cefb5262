"""The function's own configuration is wrong."""

from ..lab import Expected
from .fault import collector

FAULTS, on = collector()


@on("postgres single", "mysql alternating")
def variable_is_missing(lab):
    lab.set_up()
    lab.configure(ENGINE=None)
    lab.fails()
    return Expected(("code_missing_env",), environment={"ENGINE": lab.engine}, says=["ENGINE"], never=["previous package"])


@on("postgres single")
def endpoint_is_no_url(lab):
    lab.set_up()
    lab.configure(SECRETS_MANAGER_ENDPOINT=lab.proxy.endpoint.removeprefix("http://"))
    lab.fails()
    return Expected(("code_bad_input", "code_missing_env", "code_unhandled_exception", "aws_endpoint_unreachable"),
                    environment={"SECRETS_MANAGER_ENDPOINT": lab.proxy.endpoint}, says=["SECRETS_MANAGER_ENDPOINT"],
                    never=["previous package"])


@on("postgres single")
def endpoint_does_not_answer(lab):
    lab.set_up()
    lab.configure(SECRETS_MANAGER_ENDPOINT="http://127.0.0.9:9", AWS_MAX_ATTEMPTS="1")
    lab.fails()
    return Expected(("aws_endpoint_unreachable",), environment={"SECRETS_MANAGER_ENDPOINT": lab.proxy.endpoint},
                    says=["SECRETS_MANAGER_ENDPOINT"])


@on("mysql single outspoken")
def password_length_is_more_than_the_service_makes(lab):
    lab.set_up()
    lab.configure(PASSWORD_LENGTH="5000")
    lab.fails()
    return Expected(("code_bad_input", "code_missing_env", "db_password_policy_or_chars", "code_unhandled_exception"),
                    environment={"PASSWORD_LENGTH": "32"}, says=["PASSWORD_LENGTH"], never=["previous package"])


@on("postgres single", "mysql alternating")
def handler_names_no_module(lab):
    lab.set_up()
    before = lab.lambda_.get_function_configuration(FunctionName=lab.function_name)["Handler"]
    lab.set_handler("rotation.lambda_handler")
    lab.fails()
    return Expected(("code_import_error", "code_syntax_or_handler_error"), filled={"PREVIOUS_HANDLER": before}, says=["handler"])
