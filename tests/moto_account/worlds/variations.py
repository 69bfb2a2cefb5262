"""The same faults in other words, runtimes and circumstances, and faults that look like another."""

import json
import uuid

from ..world import CANARY, DAY, HOUR, MINUTE, NOW, VPC, Expected, healthy, inconclusive, root_cause
from .function import _does_not_load
from .lines import CREDENTIALS, denied, error, info, login_failed, no_identity_allow, raised

NODE = {"Runtime": "nodejs20.x", "Handler": "index.handler"}


def _says(w, step, kind, text, duration=400.0):
    w.broken(step, [CREDENTIALS, raised(kind, text)], duration=duration)
    return w


# --- the code and its runtime ------------------------------------------------------------------------------------------


def import_statement_outside_a_module(w):
    w.role().secret().function(**NODE)
    _does_not_load(w, '2026-01-01T00:00:00.000Z\tundefined\tERROR\tUncaught Exception \t{"errorType":"Runtime.UserCodeSyntaxError","errorMessage":'
                   '"SyntaxError: Cannot use import statement outside a module","stack":["Runtime.UserCodeSyntaxError: SyntaxError: Cannot use '
                   'import statement outside a module"]}', kind="Runtime.UserCodeSyntaxError")
    return root_cause("code_syntax_or_handler_error")


def node_handler_is_not_exported(w):
    w.role().secret().function(**NODE)
    _does_not_load(w, '2026-01-01T00:00:00.000Z\tundefined\tERROR\tUncaught Exception \t{"errorType":"Runtime.HandlerNotFound","errorMessage":'
                   '"index.handler is undefined or not exported","stack":["Runtime.HandlerNotFound: index.handler is undefined or not exported"]}',
                   kind="Runtime.HandlerNotFound")
    return root_cause("code_syntax_or_handler_error")


def java_class_is_not_in_the_bundle(w):
    w.role().secret().function(Runtime="java21", Handler="com.shop.Rotation::handleRequest")
    _does_not_load(w, "Class not found: com.shop.Rotation: java.lang.ClassNotFoundException\njava.lang.ClassNotFoundException: com.shop.Rotation. "
                   "Current classpath: file:/var/task/", kind="java.lang.ClassNotFoundException")
    return root_cause(("code_syntax_or_handler_error", "code_import_error"))


def bootstrap_of_another_architecture(w):
    w.role().secret().function(Runtime="provided.al2023", Handler="bootstrap")
    _does_not_load(w, "RequestId: 11111111-2222-4333-8444-555555555555 Error: fork/exec /var/task/bootstrap: exec format error\n"
                   "Runtime.InvalidEntrypoint", kind="Runtime.InvalidEntrypoint")
    return root_cause("code_import_error")


def bundle_of_another_architecture(w):
    _does_not_load(w, "[ERROR] Runtime.ImportModuleError: Unable to import module 'lambda_function': /var/task/cryptography/hazmat/bindings/"
                   "_rust.abi3.so: cannot open shared object file: invalid ELF header\nTraceback (most recent call last):")
    return root_cause(("code_import_error", "code_runtime_upgraded_abi"))


def new_bundle_of_another_architecture(w):
    _does_not_load(w, "[ERROR] Runtime.ImportModuleError: Unable to import module 'lambda_function': /var/task/psycopg2/_psycopg.so: invalid ELF "
                   "header\nTraceback (most recent call last):")
    w.event("UpdateFunctionCode20150331v2", "lambda", NOW - 5 * HOUR - 12 * MINUTE, actor="deployer", params={"functionName": w.function_name})
    return root_cause("code_import_error", says=["deployer"])


def library_wants_a_newer_glibc(w):
    _does_not_load(w, "[ERROR] Runtime.ImportModuleError: Unable to import module 'lambda_function': /lib64/libc.so.6: version `GLIBC_2.28' not "
                   "found (required by /var/task/psycopg2/_psycopg.cpython-312-x86_64-linux-gnu.so)\nTraceback (most recent call last):")
    return root_cause(("code_import_error", "code_runtime_upgraded_abi"))


def timeout_in_json_says_no_error(w):
    w.role().secret().function(VpcConfig=VPC, LoggingConfig={"LogFormat": "JSON"})
    w.broken("createSecret", ["Found credentials in environment variables."], duration=30000.0, status="timeout")
    return root_cause("aws_endpoint_unreachable")


def chained_exceptions(w):
    text = ("[ERROR] RotationError: setSecret failed for {arn}\nTraceback (most recent call last):\n  File \"/var/task/db.py\", line 31, in connect\n"
            "    conn = psycopg2.connect(**kw)\npsycopg2.OperationalError: connection to server at \"orders.internal\" (10.0.0.5), port 5432 failed: "
            "FATAL:  password authentication failed for user \"app\"\n\nThe above exception was the direct cause of the following exception:\n\n"
            "Traceback (most recent call last):\n  File \"/var/task/lambda_function.py\", line 9, in lambda_handler\n    raise RotationError(...) from e")
    w.broken("setSecret", [CREDENTIALS, text], duration=380.0)
    return root_cause("db_auth_failed", never=["code_unhandled_exception"])


def only_errors_are_logged(w):
    w.role().secret().function(LoggingConfig={"LogFormat": "JSON", "ApplicationLogLevel": "ERROR", "SystemLogLevel": "WARN"})
    w.rotating(last=NOW - 30 * DAY, due=NOW - 5 * HOUR)
    for i in range(3):
        at, version, request = NOW - 5 * HOUR + i * HOUR, str(uuid.uuid4()), str(uuid.uuid4())
        w.rotation_event("RotationStarted", at, version)
        text = "(1045, \"Access denied for user 'app'@'10.0.3.17' (using password: YES)\")"
        w.write([json.dumps({"timestamp": "2026-01-01T00:00:00Z", "level": "ERROR", "requestId": request, "message": text, "errorType":
                 "OperationalError", "errorMessage": text, "stackTrace": []})], at + 9)
        w.measured(at + 8, 300.0, failed=True)
        w.rotation_event("RotationFailed", at + 12, version, step="setSecret")
    w.pending(NOW - 5 * HOUR, version)
    return root_cause("db_auth_failed")


# --- permissions in other words ------------------------------------------------------------------------------------------


def session_policy(w):
    w.broken("createSecret", [CREDENTIALS, denied("PutSecretValue", "because no session policy allows the secretsmanager:PutSecretValue action")])
    return root_cause("permissions_boundary_or_scp_deny", never=["iam_identity_policy_missing"])


def resource_control_policy(w):
    w.broken("createSecret", [CREDENTIALS, denied("GetSecretValue", "with an explicit deny in a resource control policy")])
    return root_cause("permissions_boundary_or_scp_deny", never=["secret_resource_policy_deny"])


def organization_without_an_allow(w):
    w.broken("createSecret", [CREDENTIALS, denied("PutSecretValue", "because no service control policy allows the secretsmanager:PutSecretValue "
             "action")])
    return root_cause("permissions_boundary_or_scp_deny")


def node_is_denied(w):
    w.role(actions=["DescribeSecret", "GetSecretValue", "UpdateSecretVersionStage"]).secret().function(**NODE)
    w.broken("createSecret", ['{stamp}\t{id}\tERROR\tInvoke Error \t{"errorType":"AccessDeniedException","errorMessage":"User: arn:aws:sts::{account}:'
             'assumed-role/{role}/{function} is not authorized to perform: secretsmanager:PutSecretValue on resource: {arn} because no '
             'identity-based policy allows the secretsmanager:PutSecretValue action","name":"AccessDeniedException","$fault":"client"}'])
    return root_cause("iam_identity_policy_missing", confidence="Confirmed")


def java_is_denied(w):
    w.role(actions=["DescribeSecret", "PutSecretValue", "UpdateSecretVersionStage"]).secret().function(Runtime="java21", Handler="a.B::c")
    w.broken("createSecret", ["software.amazon.awssdk.services.secretsmanager.model.SecretsManagerException: User: arn:aws:sts::{account}:assumed-role/"
             "{role}/{function} is not authorized to perform: secretsmanager:GetSecretValue on resource: {arn} because no identity-based policy "
             "allows the secretsmanager:GetSecretValue action (Service: SecretsManager, Status Code: 400, Request ID: x)"])
    return root_cause("iam_identity_policy_missing", confidence="Confirmed")


def may_not_assume_the_role_of_the_other_account(w):
    w.broken("setSecret", [CREDENTIALS, denied("AssumeRole", action="sts:AssumeRole", resource="arn:aws:iam::999988887777:role/db-admin",
             code="AccessDenied")])
    return root_cause("iam_identity_policy_missing", says=["sts:AssumeRole"])


def role_was_deleted(w):
    w.role().secret().function()
    w.iam.delete_role_policy(RoleName=w.role_name, PolicyName="rotation")
    w.iam.delete_role(RoleName=w.role_name)
    w.fault("iam:SimulatePrincipalPolicy", "no such role")
    w.broken("createSecret", None)
    w.event("DeleteRole", "iam", NOW - 5 * HOUR - 10 * MINUTE, region="us-east-1", params={"roleName": w.role_name})
    return Expected(("root_cause", "inconclusive"), ("iam_identity_policy_missing", "unknown_failure"), says=["DeleteRole", "carol"],
                    never=["lambda_invoke_permission_missing"])


def policy_of_the_template_with_its_condition(w):
    w.role(actions=()).secret().function().rotating().succeeded()
    w.role_policy("template", [{"Effect": "Allow", "Action": ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue",
                  "secretsmanager:PutSecretValue", "secretsmanager:UpdateSecretVersionStage"], "Resource": "arn:aws:secretsmanager:*:*:secret:*",
                  "Condition": {"StringEquals": {"secretsmanager:resource/AllowRotationLambdaArn": w.function_arn}}}])
    return healthy(never=["iam_identity_policy_missing"])


def everything_but_iam_is_allowed(w):
    w.role(actions=(), random_password=False, statements=[{"Effect": "Allow", "NotAction": ["iam:*", "organizations:*"], "Resource": "*"}])
    w.secret().function().rotating().succeeded()
    return healthy(never=["iam_identity_policy_missing"])


def logs_may_not_be_written(w):
    w.role().secret().function()
    w.iam.delete_role_policy(RoleName=w.role_name, PolicyName="rotation")
    w.role_policy("only-secrets", [{"Effect": "Allow", "Action": "secretsmanager:*", "Resource": "*"}])
    w.rotating(last=NOW - 30 * DAY, due=NOW - 5 * HOUR).failing("setSecret", None, pending=True)
    for i in range(3):
        w.measured(NOW - 5 * HOUR + i * 5400 + 5, 900.0, failed=True)
    return inconclusive(steps={4: "no_data"}, never=["lambda_invoke_permission_missing"])


# --- the network ---------------------------------------------------------------------------------------------------------


def endpoint_cannot_be_connected(w):
    w.role().secret().function(VpcConfig=VPC)
    _says(w, "createSecret", "EndpointConnectionError", 'Could not connect to the endpoint URL: "https://secretsmanager.eu-west-1.amazonaws.com/"', 9000.0)
    return root_cause("aws_endpoint_unreachable")


def endpoint_does_not_resolve_in_node(w):
    w.role().secret().function(VpcConfig=VPC, **NODE)
    w.broken("createSecret", ['{stamp}\t{id}\tERROR\tInvoke Error \t{"errorType":"Error","errorMessage":"getaddrinfo ENOTFOUND secretsmanager.eu-west-1.'
             'amazonaws.com","code":"ENOTFOUND","syscall":"getaddrinfo","hostname":"secretsmanager.eu-west-1.amazonaws.com"}'])
    return root_cause("aws_endpoint_unreachable")


def database_does_not_resolve_in_node(w):
    w.role().secret().function(VpcConfig=VPC, **NODE)
    w.broken("setSecret", ['{stamp}\t{id}\tERROR\tInvoke Error \t{"errorType":"Error","errorMessage":"getaddrinfo ENOTFOUND orders.internal","code":'
             '"ENOTFOUND","syscall":"getaddrinfo","hostname":"orders.internal"}'])
    return root_cause("db_network_unreachable", never=["aws_endpoint_unreachable"])


def rds_endpoint_times_out(w):
    w.role().secret().function(VpcConfig=VPC)
    _says(w, "setSecret", "ConnectTimeoutError", 'Connect timeout on endpoint URL: "https://rds.eu-west-1.amazonaws.com/"', 25000.0)
    return root_cause(("aws_endpoint_unreachable", "superuser_metadata_api_error"))


def listener_is_not_there(w):
    _says(w, "setSecret", "OperationalError", "DPY-6005: cannot connect to database (CONNECTION_ID=x).\nDPY-6000: Listener refused connection. (Similar "
          "to ORA-12541)\nORA-12541: Cannot connect. No listener at host orders.internal port 1521.")
    return root_cause("db_network_unreachable")


def ambiguous_login_that_takes_twenty_seconds_in_json(w):
    w.role().secret().function(VpcConfig=VPC, LoggingConfig={"LogFormat": "JSON"})
    text = "setSecret: Unable to log into database with previous, current, or pending secret of secret arn {arn}"
    w.broken("setSecret", ["Found credentials in environment variables.", {"level": "ERROR", "message": text, "logger": "root"},
             {"level": "ERROR", "errorType": "ValueError", "errorMessage": text.removeprefix("setSecret: "), "message": text.removeprefix("setSecret: "),
              "stackTrace": []}], duration=20400.0)
    return root_cause("db_network_unreachable")


# --- the database --------------------------------------------------------------------------------------------------------


def postgres_role_is_gone(w):
    _says(w, "setSecret", "OperationalError", 'connection to server at "orders.internal" (10.0.0.5), port 5432 failed: FATAL:  role "app" does not exist')
    return root_cause("db_auth_failed")


def postgres_wants_an_iam_token(w):
    _says(w, "setSecret", "OperationalError", 'connection to server at "orders.internal" (10.0.0.5), port 5432 failed: FATAL:  PAM authentication failed '
          'for user "app"')
    return root_cause("db_auth_failed")


def postgres_slots_are_reserved(w):
    _says(w, "setSecret", "OperationalError", 'connection to server at "orders.internal" (10.0.0.5), port 5432 failed: FATAL:  remaining connection slots '
          "are reserved for roles with the SUPERUSER attribute")
    return root_cause("target_service_limit", never=["db_permission_insufficient", "db_network_unreachable"])


def mysql_has_too_many_connections(w):
    _says(w, "setSecret", "OperationalError", "(1040, 'Too many connections')")
    return root_cause("target_service_limit")


def oracle_service_name_is_unknown(w):
    _says(w, "setSecret", "OperationalError", "ORA-12514: Cannot connect to database. Service orders_v1 is not registered with the listener at host "
          "orders.internal port 1521.")
    return root_cause("db_name_missing")


def oracle_password_has_expired(w):
    _says(w, "setSecret", "DatabaseError", "ORA-28001: The account has expired.\nHelp: https://docs.oracle.com/error-help/db/ora-28001/")
    return root_cause("db_auth_failed")


def oracle_password_was_used_before(w):
    _says(w, "setSecret", "DatabaseError", "ORA-28007: the password cannot be reused")
    return root_cause("db_password_policy_or_chars")


def sql_server_login_is_disabled(w):
    _says(w, "testSecret", "InterfaceError", "('28000', \"[28000] [Microsoft][ODBC Driver 18 for SQL Server][SQL Server]Login failed for user 'app'. Reason: "
          "The account is disabled. (18470) (SQLDriverConnect)\")")
    return root_cause("db_auth_failed")


def sql_server_certificate_is_not_trusted(w):
    _says(w, "setSecret", "OperationalError", "('08001', '[08001] [Microsoft][ODBC Driver 18 for SQL Server]SSL Provider: [error:0A000086:SSL "
          "routines::certificate verify failed:self-signed certificate] (-1) (SQLDriverConnect)')")
    return root_cause("db_ssl_mismatch")


def atlas_refuses_the_password(w):
    _says(w, "setSecret", "OperationFailure", "bad auth : Authentication failed., full error: {'ok': 0, 'errmsg': 'bad auth : Authentication failed.', "
          "'code': 8000, 'codeName': 'AtlasError'}")
    return root_cause("db_auth_failed")


def mongo_certificate_is_not_trusted(w):
    _says(w, "setSecret", "ServerSelectionTimeoutError", "SSL handshake failed: orders.internal:27017: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify "
          "failed: unable to get local issuer certificate (_ssl.c:1000), Timeout: 5.0s", 5600.0)
    return root_cause("db_ssl_mismatch", never=["db_network_unreachable"])


def certificate_is_of_another_host(w):
    _says(w, "setSecret", "OperationalError", "(2003, \"Can't connect to MySQL server on 'orders.shop.example' ([SSL: CERTIFICATE_VERIFY_FAILED] certificate "
          "verify failed: Hostname mismatch, certificate is not valid for 'orders.shop.example'. (_ssl.c:1000))\")")
    return root_cause("db_hostname_verification", never=["db_network_unreachable"])


def mysql_grant_option_is_missing(w):
    w.broken("setSecret", [CREDENTIALS, info("setSecret: cloning grants of app"), raised("OperationalError", "(1044, \"Access denied for user "
             "'admin'@'%' to database 'orders'\")", "cur.execute('GRANT ALL ON orders.* TO app_clone')")])
    return root_cause("db_permission_insufficient")


def redshift_password_rules(w):
    _says(w, "setSecret", "ProgrammingError", "{'S': 'ERROR', 'C': '22023', 'M': 'Password must contain a number.', 'F': 'user.c'}")
    return root_cause("db_password_policy_or_chars")


def redis_refuses_the_password(w):
    _says(w, "testSecret", "AuthenticationError", "WRONGPASS invalid username-password pair or user is disabled.")
    return root_cause("db_auth_failed")


def vendor_connection_is_reset(w):
    _says(w, "setSecret", "ConnectionError", "HTTPSConnectionPool(host='api.vendor.example', port=443): Max retries exceeded with url: /v1/keys (Caused by "
          "ConnectTimeoutError(<urllib3.connection.HTTPSConnection object>, 'Connection to api.vendor.example timed out. (connect timeout=10)'))", 10100.0)
    return root_cause("target_service_error", never=["aws_endpoint_unreachable"])


def vendor_allows_no_more_requests(w):
    _says(w, "setSecret", "HTTPError", "429 Client Error: Too Many Requests for url: https://api.vendor.example/v1/keys")
    return root_cause(("target_service_error", "target_service_limit"), never=["aws_api_throttled", "lambda_throttled_concurrency"])


# --- the secret ----------------------------------------------------------------------------------------------------------


def token_was_used_with_another_value(w):
    _says(w, "createSecret", "ResourceExistsException", "An error occurred (ResourceExistsException) when calling the PutSecretValue operation: You can't use "
          "ClientRequestToken 1f0e because that value is already in use for a version of secret {arn}.")
    return root_cause(("version_not_staged_race", "unknown_failure", "code_unhandled_exception"))


def superuser_secret_will_be_deleted(w):
    _says(w, "setSecret", "InvalidRequestException", "An error occurred (InvalidRequestException) when calling the GetSecretValue operation: You can't perform "
          "this operation on the secret because it was marked for deletion.")
    return root_cause("secret_marked_for_deletion")


def value_has_single_quotes(w):
    w.secret(value="{'username': 'app', 'password': '" + CANARY + "'}")
    _says(w, "createSecret", "JSONDecodeError", "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)")
    return root_cause("secret_json_invalid")


def api_is_throttled_in_every_attempt(w):
    _says(w, "createSecret", "ClientError", "An error occurred (ThrottlingException) when calling the PutSecretValue operation (reached max retries: 4): Rate "
          "exceeded")
    return root_cause("aws_api_throttled", never=["lambda_throttled_concurrency"])


# --- the circumstances ---------------------------------------------------------------------------------------------------


def events_of_the_new_shape(w):
    w.broken("setSecret", [CREDENTIALS, raised("OperationalError", "(1049, \"Unknown database 'orders_v1'\")")])
    for event in w.proxy.events:
        record = json.loads(event["CloudTrailEvent"])
        secret = record.pop("additionalEventData")["SecretId"]
        event["CloudTrailEvent"] = json.dumps({**record, "serviceEventDetails": {"secretId": secret}})
    return root_cause("db_name_missing", also=["stuck_awspending"])


def another_cause_than_last_week(w):
    w.role().secret().function().rotating(last=NOW - 40 * DAY, due=NOW - 9 * DAY)
    w.failing("createSecret", [CREDENTIALS, raised("KeyError", "'SECRETS_MANAGER_ENDPOINT'")], first=NOW - 9 * DAY, times=2, pending=False)
    w.failing("setSecret", [CREDENTIALS, raised("OperationalError", "(1045, \"Access denied for user 'app'@'10.0.3.17' (using password: YES)\")")],
              first=NOW - 6 * HOUR, times=3)
    return root_cause("db_auth_failed", never=["code_missing_env"])


def failed_three_minutes_ago_and_the_trail_is_late(w):
    w.role().secret().function().rotating(last=NOW - 30 * DAY, due=NOW + 5 * HOUR).succeeded(NOW - 10 * DAY)
    version = w.pending(NOW - 200)
    w.good_step(0, version, NOW - 200)
    w.invocation([CREDENTIALS, raised("OperationalError", "(1045, \"Access denied for user 'app'@'10.0.3.17' (using password: YES)\")"),
                  error("setSecret: failed for {arn}")], at=NOW - 180, duration=300.0)
    return root_cause("db_auth_failed")


def trail_in_a_log_group(w):
    w.role(actions=["DescribeSecret", "GetSecretValue", "UpdateSecretVersionStage"])
    w.broken("createSecret", [CREDENTIALS, no_identity_allow("PutSecretValue")])
    w.event("DetachRolePolicy", "iam", NOW - 5 * HOUR - 15 * MINUTE, region="us-east-1", params={"roleName": w.role_name, "policyArn": "arn:aws:iam::aws:policy/x"})
    group = "aws-cloudtrail-logs"
    w.logs.create_log_group(logGroupName=group)
    w.logs.create_log_stream(logGroupName=group, logStreamName="s")
    w.logs.put_log_events(logGroupName=group, logStreamName="s", logEvents=[
        {"timestamp": int(event["EventTime"] * 1000), "message": event["CloudTrailEvent"]}
        for event in sorted(w.proxy.events, key=lambda event: event["EventTime"])])
    w.proxy.events.clear()
    w.client("s3").create_bucket(Bucket=f"trail-{w.account}", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    trail = w.client("cloudtrail")
    trail.create_trail(Name="all", S3BucketName=f"trail-{w.account}", IsMultiRegionTrail=True, IncludeGlobalServiceEvents=True,
                       CloudWatchLogsLogGroupArn=f"arn:aws:logs:eu-west-1:{w.account}:log-group:{group}:*",
                       CloudWatchLogsRoleArn=w.role_arn)
    trail.start_logging(Name="all")
    return root_cause("iam_identity_policy_missing", confidence="Confirmed", says=["carol"])


def _incident(w):
    w.proxy.health = [{"arn": "arn:aws:health:eu-west-1::event/SECRETSMANAGER/AWS_SECRETSMANAGER_OPERATIONAL_ISSUE/x", "service": "SECRETSMANAGER",
                       "eventTypeCode": "AWS_SECRETSMANAGER_OPERATIONAL_ISSUE", "eventTypeCategory": "issue", "region": "eu-west-1",
                       "startTime": float(NOW - 6 * HOUR), "statusCode": "open", "lastUpdatedTime": float(NOW - HOUR)}]


SERVER_SIDE = raised("ClientError", "An error occurred (InternalServiceError) when calling the PutSecretValue operation (reached max retries: 4): An "
                     "error occurred on the server side.")


def incident_that_others_meet_too(w):
    _incident(w)
    w.broken("createSecret", [CREDENTIALS, SERVER_SIDE])
    for name in ("a", "b", "c"):
        w.function_arn = w.function_arn.rsplit(":", 1)[0] + f":rotate-other-{name}"
        other = w.secrets.create_secret(Name=f"shop/other-{name}", SecretString=CANARY)["ARN"]
        version = str(uuid.uuid4())
        w.rotation_event("RotationStarted", NOW - 2 * HOUR, version, arn=other).rotation_event(
            "RotationFailed", NOW - 2 * HOUR + 20, version, step="createSecret", arn=other)
    return root_cause("aws_service_issue", confidence="Confirmed")


def incident_that_the_function_met(w):
    _incident(w)
    w.broken("createSecret", [CREDENTIALS, SERVER_SIDE])
    return root_cause("aws_service_issue", confidence="Confirmed")


def fault_of_aws_without_an_incident(w):
    w.broken("createSecret", [CREDENTIALS, SERVER_SIDE])
    return root_cause("aws_service_issue", never=["unknown_failure"], says=["InternalServiceError"])


def incident_that_has_nothing_to_do_with_it(w):
    _incident(w)
    w.broken("setSecret", [CREDENTIALS, raised("OperationalError", "(1049, \"Unknown database 'orders_v1'\")")])
    return root_cause("db_name_missing", never=["aws_service_issue"])


def three_secrets_of_one_function_fail_alike(w):
    w.broken("createSecret", [CREDENTIALS, raised("KeyError", "'SECRETS_MANAGER_ENDPOINT'")])
    for name in ("a", "b"):
        other = w.secrets.create_secret(Name=f"shop/other-{name}", SecretString=CANARY)["ARN"]
        version = str(uuid.uuid4())
        w.rotation_event("RotationStarted", NOW - 2 * HOUR, version, arn=other).rotation_event(
            "RotationFailed", NOW - 2 * HOUR + 20, version, step="createSecret", arn=other)
    return root_cause("code_missing_env")


def asked_for_by_an_arn_without_its_suffix(w):
    w.role().secret().function().rotating().succeeded()
    w.asks_for = w.secret_arn[:-7]
    return healthy()


def cause_found_by_the_full_arn(w):
    w.broken("setSecret", login_failed(), duration=10400.0)
    w.asks_for = w.secret_arn
    return root_cause("db_network_unreachable")


def healthy_on_a_shared_function_with_a_denied_trail(w):
    w.role().secret().function().rotating(last=NOW - DAY).succeeded(NOW - DAY)
    w.deny("cloudtrail:LookupEvents")
    return Expected(("healthy", "inconclusive"), needs=["cloudtrail:LookupEvents"], never=["unknown_failure"])


def weekly_rotation_failed_last_sunday(w):
    w.role().secret().function().rotating(last=NOW - 13 * DAY, due=NOW - 6 * DAY, rules={"ScheduleExpression": "rate(7 days)"})
    w.failing("setSecret", [CREDENTIALS, raised("OperationalError", "(1045, \"Access denied for user 'app'@'10.0.3.17' (using password: YES)\")")],
              first=NOW - 6 * DAY, times=4)
    return root_cause("db_auth_failed", also=["stuck_awspending"])


def hundreds_of_good_runs_and_one_bad(w):
    w.role().secret().function().rotating(last=NOW - 26 * HOUR, due=NOW - 2 * HOUR, rules={"ScheduleExpression": "rate(4 hours)"})
    for i in range(40):
        w.invocation([CREDENTIALS, info("createSecret: Successfully put secret for ARN arn:aws:secretsmanager:eu-west-1:1:secret:other-AbCdEf.")],
                     at=NOW - 20 * HOUR + i * 20 * MINUTE, failed=False)
    w.failing("createSecret", [CREDENTIALS, raised("OperationalError", "ORA-01017: invalid username/password; logon denied")], first=NOW - 2 * HOUR, times=1)
    return root_cause("db_auth_failed")
