"""The function itself: its code, its memory, its state."""

from ..world import DAY, HOUR, MINUTE, NOW, VPC, root_cause
from .lines import CREDENTIALS, info, raised

INIT_FAILED = "INIT_REPORT Init Duration: 312.21 ms\tPhase: init\tStatus: error\tError Type: {kind}\n"


def _does_not_load(w, text, kind="Runtime.ImportModuleError", times=3, rest=True):
    """Attempts that end before the handler; the runtime prints the error twice, without a request id."""
    if rest and not w.function_arn:
        w.role().secret().function()
    w.rotating(last=NOW - 30 * DAY, due=NOW - 5 * HOUR)
    for attempt in range(times):
        at = NOW - 5 * HOUR + attempt * 90 * MINUTE
        version = f"00000000-0000-4000-8000-00000000000{attempt}"
        w.rotation_event("RotationStarted", at, version)
        w.write([text + "\n", INIT_FAILED.format(kind=kind)], at + 2)
        w.invocation([text], at=at + 4, duration=380.0, status=f"Status: error\tError Type: {kind}")
        w.rotation_event("RotationFailed", at + 6, version, step="createSecret")


def module_not_found(w):
    _does_not_load(w, "[ERROR] Runtime.ImportModuleError: Unable to import module 'lambda_function': No module named 'psycopg2'\nTraceback (most "
                   "recent call last):")
    w.event("UpdateFunctionCode20150331v2", "lambda", NOW - 5 * HOUR - 25 * MINUTE, actor="deployer", params={"functionName": w.function_name})
    return root_cause("code_import_error", says=["deployer"])


def compiled_module_after_a_runtime_upgrade(w):
    w.role().secret().function()
    _does_not_load(w, "[ERROR] Runtime.ImportModuleError: Unable to import module 'lambda_function': libpq.so.5: cannot open shared object "
                   "file: No such file or directory /var/task/_pg.cpython-37m-x86_64-linux-gnu.so\nTraceback (most recent call last):")
    w.event("UpdateFunctionConfiguration20150331v2", "lambda", NOW - 5 * HOUR - 20 * MINUTE, actor="ivan",
            params={"functionName": w.function_name, "runtime": "python3.12"})
    return root_cause(("code_runtime_upgraded_abi", "code_import_error"), says=["ivan"])


def underscore_module_after_a_runtime_upgrade(w):
    w.role().secret().function()
    _does_not_load(w, "[ERROR] Runtime.ImportModuleError: Unable to import module 'lambda_function': No module named '_pg'\nTraceback (most "
                   "recent call last):")
    w.event("UpdateFunctionConfiguration20150331v2", "lambda", NOW - 5 * HOUR - 20 * MINUTE, actor="ivan",
            params={"functionName": w.function_arn, "runtime": "python3.12"})
    return root_cause("code_runtime_upgraded_abi", says=["ivan"])


def node_module_not_found(w):
    w.role().secret().function(Runtime="nodejs20.x", Handler="index.handler")
    _does_not_load(w, '{stamp}\tundefined\tERROR\tUncaught Exception \t{"errorType":"Runtime.ImportModuleError","errorMessage":"Error: Cannot find '
                   "module 'mysql2'\\nRequire stack:\\n- /var/task/index.js\",\"stack\":[\"Runtime.ImportModuleError: Error: Cannot find module\"]}")
    return root_cause("code_import_error")


def syntax_error(w):
    _does_not_load(w, "[ERROR] Runtime.UserCodeSyntaxError: Syntax error in module 'lambda_function': invalid syntax (lambda_function.py, line "
                   "12)\nTraceback (most recent call last):", kind="Runtime.UserCodeSyntaxError")
    return root_cause("code_syntax_or_handler_error")


def handler_not_found(w):
    _does_not_load(w, "[ERROR] Runtime.HandlerNotFound: Handler 'handler' missing on module 'lambda_function'", kind="Runtime.HandlerNotFound")
    return root_cause("code_syntax_or_handler_error")


def environment_variable_missing(w):
    w.broken("createSecret", [CREDENTIALS, raised("KeyError", "'SECRETS_MANAGER_ENDPOINT'", "endpoint_url=os.environ['SECRETS_MANAGER_ENDPOINT']")])
    return root_cause("code_missing_env", says=["SECRETS_MANAGER_ENDPOINT"])


def step_not_written(w):
    w.broken("setSecret", [CREDENTIALS, raised("NotImplementedError", "", "raise NotImplementedError")])
    return root_cause("code_not_implemented")


def new_code_has_a_bug(w):
    w.broken("setSecret", [CREDENTIALS, raised("AttributeError", "'NoneType' object has no attribute 'cursor'", "set_secret(client, arn, token)")])
    w.event("UpdateFunctionCode20150331v2", "lambda", NOW - 5 * HOUR - 18 * MINUTE, actor="deployer", params={"functionName": w.function_name})
    return root_cause("code_unhandled_exception", says=["deployer"], also=["stuck_awspending"])


def out_of_memory(w):
    w.broken("setSecret", [CREDENTIALS, "RequestId: {id} Error: Runtime exited with error: signal: killed\nRuntime.ExitError\n"], memory=(128, 128),
             duration=2100.0, status="Status: error\tError Type: Runtime.ExitError")
    return root_cause("lambda_oom", says=["--memory-size"])


def out_of_memory_in_new_words(w):
    w.broken("createSecret", [CREDENTIALS], memory=(128, 128), duration=2100.0, status="Status: error\tError Type: Runtime.OutOfMemory")
    return root_cause("lambda_oom")


def extension_crashes(w):
    w.role().secret().function()
    _does_not_load(w, "EXTENSION\tName: datadog-agent\tState: InitError\tEvents: []\tError Type: Extension.InitError", kind="Extension.Crash")
    return root_cause("lambda_extension_crash")


def function_deleted(w):
    w.role().secret().function().rotating(last=NOW - 30 * DAY, due=NOW - 5 * HOUR)
    w.lambda_.delete_function(FunctionName=w.function_name)
    w.event("DeleteFunction20150331", "lambda", NOW - 2 * DAY, actor="jane", params={"functionName": w.function_name})
    return root_cause("lambda_function_missing", confidence="Confirmed", says=["jane"])


def function_recreated_under_a_similar_name(w):
    w.role().secret().function("rotate-orders-v2")
    w.function_arn = w.function_arn.replace("rotate-orders-v2", "rotate-orders")
    w.rotating(last=NOW - 30 * DAY, due=NOW - 5 * HOUR)
    return root_cause("lambda_function_missing")


def concurrency_of_zero(w):
    w.role().secret().function().rotating(last=NOW - 30 * DAY, due=NOW - 5 * HOUR)
    w.proxy.patches["lambda:GetFunctionConcurrency"] = {"ReservedConcurrentExecutions": 0}
    w.failing("createSecret", None)
    for i in range(5):
        w.metric("Throttles", NOW - 5 * HOUR + i * 90 * MINUTE, 4)
    w.event("PutFunctionConcurrency20171031", "lambda", NOW - 5 * HOUR - 11 * MINUTE, actor="kate",
            params={"functionName": w.function_name, "reservedConcurrentExecutions": 0})
    return root_cause("lambda_throttled_concurrency", says=["kate"], confidence="Confirmed")


def account_is_out_of_concurrency(w):
    w.role().secret().function().rotating(last=NOW - 30 * DAY, due=NOW - 5 * HOUR)
    w.failing("setSecret", None, pending=True)
    for i in range(3):
        w.metric("Throttles", NOW - 5 * HOUR + i * 90 * MINUTE, 6)
    return root_cause("lambda_throttled_concurrency")


def state_failed(w):
    w.role().secret().function()
    w.configured(State="Failed", StateReasonCode="InternalError", StateReason="Internal error")
    w.broken("createSecret", None)
    return root_cause("lambda_state_failed")


def image_is_gone(w):
    w.role().secret().function()
    w.configured(State="Failed", StateReasonCode="ImageDeleted", StateReason="The image was deleted.", PackageType="Image", Runtime=None, Handler=None)
    w.broken("createSecret", None)
    return root_cause("lambda_state_failed")


def subnet_is_full(w):
    w.role().secret().function(VpcConfig=VPC)
    w.configured(LastUpdateStatus="Failed", LastUpdateStatusReasonCode="SubnetOutOfIPAddresses", LastUpdateStatusReason="subnet-0a1b2c3d is out of IPs")
    w.broken("createSecret", None)
    return root_cause("lambda_vpc_capacity")


def security_group_is_gone(w):
    w.role().secret().function(VpcConfig=VPC)
    w.configured(State="Failed", StateReasonCode="InvalidSecurityGroup", StateReason="sg-0a1b2c3d does not exist")
    w.broken("createSecret", None)
    return root_cause("lambda_vpc_config_invalid")


def json_format_import_error(w):
    w.role().secret().function(LoggingConfig={"LogFormat": "JSON"}).rotating(last=NOW - 30 * DAY, due=NOW - 5 * HOUR)
    w.failing("createSecret", [{"level": "ERROR", "errorType": "Runtime.ImportModuleError", "errorMessage": "Unable to import module "
              "'lambda_function': No module named 'requests'", "stackTrace": [], "message": "Unable to import module 'lambda_function': No module "
              "named 'requests'"}])
    return root_cause("code_import_error")


def custom_log_group_in_json(w):
    w.role().secret().function(LoggingConfig={"LogFormat": "JSON", "LogGroup": "/platform/rotation"})
    w.broken("setSecret", ["setSecret: starting", {"level": "ERROR", "logger": "root", "message": "setSecret: failed", "exception":
             "Traceback (most recent call last):\n  File \"/var/task/lambda_function.py\", line 9, in set_secret\npymysql.err.OperationalError: "
             "(1045, \"Access denied for user 'app'@'10.0.3.17' (using password: YES)\")"},
             {"level": "ERROR", "errorType": "OperationalError", "message": "(1045, \"Access denied for user 'app'@'10.0.3.17' (using password: "
              "YES)\")", "errorMessage": "(1045, \"Access denied for user 'app'@'10.0.3.17' (using password: YES)\")", "stackTrace": []}], duration=400.0)
    return root_cause("db_auth_failed")


def two_thousand_events_before_the_error(w):
    w.role().secret().function()
    for i in range(20):
        at = NOW - 23 * HOUR + i * 10 * MINUTE
        w.invocation([info(f"listing item {n} of the inventory") for n in range(96)], at=at, failed=False)
    w.broken("setSecret", [CREDENTIALS, raised("OperationalError", "(1049, \"Unknown database 'orders_v1'\")")])
    return root_cause("db_name_missing")


def driver_lacks_cryptography(w):
    w.broken("setSecret", [CREDENTIALS, raised("RuntimeError", "'cryptography' package is required for sha256_password or caching_sha2_password "
             "auth methods")])
    return root_cause("dependency_missing_at_runtime")
