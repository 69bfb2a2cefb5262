"""The database, or whatever lies behind the secret, refuses."""

from ..world import HOUR, MINUTE, NOW, root_cause
from .lines import CREDENTIALS, error, info, login_failed, raised


def postgres_password(w):
    w.broken("setSecret", [CREDENTIALS, raised("OperationalError", 'connection to server at "orders.internal" (10.0.0.5), port 5432 failed: '
             'FATAL:  password authentication failed for user "app"\nconnection to server at "orders.internal" (10.0.0.5), port 5432 '
             'failed: FATAL:  password authentication failed for user "app"')], duration=410.0)
    return root_cause("db_auth_failed", also=["stuck_awspending"], never=["db_ssl_mismatch"])


def mysql_password(w):
    w.broken("setSecret", [CREDENTIALS, raised("OperationalError", "(1045, \"Access denied for user 'app'@'10.0.3.17' (using password: YES)\")")],
             duration=380.0)
    w.event("ModifyDBInstance", "rds", NOW - 5 * HOUR - 9 * MINUTE, actor="harry",
            params={"dBInstanceIdentifier": "orders", "masterUserPassword": "****"})
    return root_cause("db_auth_failed", says=["harry"])


def sql_server_password(w):
    w.broken("setSecret", [CREDENTIALS, raised("OperationalError", "(18456, b\"Login failed for user 'app'.DB-Lib error message 20018, severity "
             "14:\\nGeneral SQL Server error: Check messages from the SQL Server\\nDB-Lib error message 20002, severity 9:\\nAdaptive Server "
             "connection failed (orders.internal)\\n\")")], duration=520.0)
    return root_cause("db_auth_failed", never=["db_network_unreachable", "db_ssl_mismatch"])


def oracle_password(w):
    w.broken("testSecret", [CREDENTIALS, raised("DatabaseError", "ORA-01017: invalid username/password; logon denied")], duration=700.0)
    return root_cause("db_auth_failed")


def oracle_password_in_23ai_words(w):
    w.broken("testSecret", [CREDENTIALS, raised("DatabaseError", "ORA-01017: invalid credential or not authorized; logon denied\nHelp: "
             "https://docs.oracle.com/error-help/db/ora-01017/")], duration=700.0)
    return root_cause("db_auth_failed")


def mongo_password(w):
    w.broken("setSecret", [CREDENTIALS, raised("OperationFailure", "Authentication failed., full error: {'ok': 0.0, 'errmsg': 'Authentication "
             "failed.', 'code': 18, 'codeName': 'AuthenticationFailed'}")], duration=300.0)
    return root_cause("db_auth_failed")


def mariadb_password_in_node(w):
    w.role().secret().function(Runtime="nodejs20.x", Handler="index.handler")
    w.broken("setSecret", ['{stamp}\t{id}\tERROR\tInvoke Error \t{"errorType":"Error","errorMessage":"Access denied for user \'app\'@'
             '\'10.0.3.17\' (using password: YES)","code":"ER_ACCESS_DENIED_ERROR","errno":1045,"sqlState":"28000","stack":["Error: Access '
             'denied for user"]}'], duration=240.0)
    return root_cause("db_auth_failed", never=["iam_identity_policy_missing"])


def postgres_password_in_go(w):
    w.role().secret().function(Runtime="provided.al2023", Handler="bootstrap")
    w.broken("setSecret", ['{"errorMessage":"failed to connect to `user=app database=orders`: 10.0.0.5:5432 (orders.internal): failed SASL auth: '
             'FATAL: password authentication failed for user \\"app\\" (SQLSTATE 28P01)","errorType":"ConnectError"}'], duration=150.0)
    return root_cause("db_auth_failed")


def postgres_password_in_dotnet(w):
    w.role().secret().function(Runtime="dotnet8", Handler="Rotation::Rotation.Function::Handler")
    w.broken("setSecret", ['Npgsql.PostgresException (0x80004005): 28P01: password authentication failed for user "app"\n   at '
             "Npgsql.Internal.NpgsqlConnector.<ReadMessage>g__ReadMessageLong|233_0"], duration=900.0)
    return root_cause("db_auth_failed")


def postgres_password_in_java(w):
    w.role().secret().function(Runtime="java21", Handler="com.shop.Rotation::handleRequest")
    w.broken("setSecret", ['org.postgresql.util.PSQLException: FATAL: password authentication failed for user "app"\n\tat '
             "org.postgresql.core.v3.ConnectionFactoryImpl.doAuthentication(ConnectionFactoryImpl.java:693)"], duration=2900.0)
    return root_cause("db_auth_failed")


def quick_login_failure_without_words(w):
    w.broken("setSecret", login_failed(), duration=640.0)
    return root_cause(("db_auth_failed", "db_login_ambiguous"), never=["db_network_unreachable"])


def superuser_cannot_log_in(w):
    text = "setSecret: Unable to log into database using credentials in master secret arn:aws:secretsmanager:eu-west-1:{account}:secret:su-AbCdEf"
    w.broken("setSecret", [CREDENTIALS, error(text), raised("ValueError", text.removeprefix("setSecret: "))], duration=640.0)
    return root_cause("db_superuser_login_ambiguous")


def pg_hba_wants_encryption(w):
    w.broken("setSecret", [CREDENTIALS, raised("OperationalError", 'connection to server at "orders.internal" (10.0.0.5), port 5432 failed: '
             'FATAL:  no pg_hba.conf entry for host "10.0.3.17", user "app", database "orders", no encryption')], duration=350.0)
    return root_cause("db_ssl_mismatch", never=["db_auth_failed"])


def mysql_wants_tls(w):
    w.broken("setSecret", [CREDENTIALS, raised("OperationalError", "(3159, 'Connections using insecure transport are prohibited while "
             "--require_secure_transport=ON.')")], duration=350.0)
    return root_cause("db_ssl_mismatch")


def certificate_of_unknown_authority(w):
    w.broken("setSecret", [CREDENTIALS, raised("OperationalError", 'connection to server at "orders.internal" (10.0.0.5), port 5432 failed: '
             "SSL error: certificate verify failed")], duration=350.0)
    return root_cause("db_ssl_mismatch")


def old_libpq(w):
    w.broken("setSecret", [CREDENTIALS, raised("OperationalError", "SCRAM authentication requires libpq version 10 or above")], duration=210.0)
    return root_cause("db_scram_libpq_old", never=["db_auth_failed"])


def postgres_database_is_gone(w):
    w.broken("setSecret", [CREDENTIALS, raised("OperationalError", 'connection to server at "orders.internal" (10.0.0.5), port 5432 failed: '
             'FATAL:  database "orders_v1" does not exist')], duration=310.0)
    return root_cause("db_name_missing")


def mysql_database_is_gone(w):
    w.broken("setSecret", [CREDENTIALS, raised("OperationalError", "(1049, \"Unknown database 'orders_v1'\")")], duration=310.0)
    return root_cause("db_name_missing")


def sql_server_database_is_gone(w):
    w.broken("setSecret", [CREDENTIALS, raised("OperationalError", "('42000', '[42000] [Microsoft][ODBC Driver 18 for SQL Server][SQL Server]Cannot "
             "open database \"orders_v1\" requested by the login. The login failed. (4060) (SQLDriverConnect)')")], duration=310.0)
    return root_cause("db_name_missing", never=["db_auth_failed"])


def postgres_may_not_alter(w):
    w.broken("setSecret", [CREDENTIALS, info("setSecret: connected"), raised("InsufficientPrivilege", "permission denied to alter role\nDETAIL:  "
             "Only roles with the CREATEROLE attribute and the ADMIN option on role \"app\" may alter this role.")], duration=420.0)
    return root_cause("db_permission_insufficient", never=["iam_identity_policy_missing", "db_auth_failed"])


def mysql_may_not_alter(w):
    w.broken("setSecret", [CREDENTIALS, raised("OperationalError", "(1227, 'Access denied; you need (at least one of) the CREATE USER privilege(s) "
             "for this operation')")], duration=420.0)
    return root_cause("db_permission_insufficient", never=["db_auth_failed", "iam_identity_policy_missing"])


def sql_server_may_not_alter(w):
    w.broken("setSecret", [CREDENTIALS, raised("ProgrammingError", "('42000', \"[42000] [Microsoft][ODBC Driver 18 for SQL Server][SQL Server]Cannot "
             "alter the login 'app', because it does not exist or you do not have permission. (15151) (SQLExecDirectW)\")")], duration=420.0)
    return root_cause("db_permission_insufficient")


def oracle_may_not_alter(w):
    w.broken("setSecret", [CREDENTIALS, raised("DatabaseError", "ORA-01031: insufficient privileges")], duration=420.0)
    return root_cause("db_permission_insufficient")


def mongo_may_not_update_users(w):
    w.broken("setSecret", [CREDENTIALS, raised("OperationFailure", "not authorized on admin to execute command { updateUser: \"app\", pwd: \"xxx\" }, "
             "full error: {'ok': 0.0, 'code': 13, 'codeName': 'Unauthorized'}")], duration=420.0)
    return root_cause("db_permission_insufficient", never=["iam_identity_policy_missing"])


def oracle_password_policy(w):
    w.broken("setSecret", [CREDENTIALS, raised("DatabaseError", "ORA-28003: password verification for the specified password failed\nORA-20001: "
             "Password must contain at least 2 special characters")], duration=420.0)
    return root_cause("db_password_policy_or_chars")


def mysql_password_policy(w):
    w.broken("setSecret", [CREDENTIALS, raised("InternalError", "(1819, 'Your password does not satisfy the current policy requirements')")], duration=420.0)
    return root_cause("db_password_policy_or_chars")


def sql_server_password_policy(w):
    w.broken("setSecret", [CREDENTIALS, raised("ProgrammingError", "(15118, b'Password validation failed. The password does not meet the operating "
             "system policy requirements because it is not complex enough.DB-Lib error message 20018')")], duration=420.0)
    return root_cause("db_password_policy_or_chars")


def host_of_the_pending_version_differs(w):
    text = "setSecret: Attempting to modify user for host orders-ro.internal other than current host orders.internal"
    w.broken("setSecret", [CREDENTIALS, error(text), raised("ValueError", text.removeprefix("setSecret: "))])
    return root_cause("db_host_mismatch_replica")


def postgres_is_read_only(w):
    w.broken("setSecret", [CREDENTIALS, raised("ReadOnlySqlTransaction", "cannot execute ALTER ROLE in a read-only transaction")], duration=420.0)
    return root_cause("db_host_mismatch_replica")


def user_name_changed(w):
    text = "setSecret: Attempting to modify user app2 other than current user app"
    w.broken("setSecret", [CREDENTIALS, error(text), raised("ValueError", text.removeprefix("setSecret: "))])
    return root_cause("secret_username_changed")


def access_keys_are_full(w):
    w.broken("createSecret", [CREDENTIALS, raised("LimitExceededException", "An error occurred (LimitExceeded) when calling the CreateAccessKey "
             "operation: Cannot exceed quota for AccessKeysPerUser: 2")])
    return root_cause("target_service_limit")


def vendor_api_answers_503(w):
    w.broken("setSecret", [CREDENTIALS, raised("HTTPError", "503 Server Error: Service Unavailable for url: "
             "https://api.vendor.example/v1/keys/rotate")], duration=800.0)
    return root_cause("target_service_error", never=["aws_service_issue"])


def vendor_api_answers_401(w):
    w.broken("setSecret", [CREDENTIALS, raised("HTTPError", "401 Client Error: Unauthorized for url: https://api.vendor.example/v1/keys")],
             duration=800.0)
    return root_cause("target_service_error", never=["iam_identity_policy_missing"])


def too_many_connections(w):
    w.broken("setSecret", [CREDENTIALS, raised("OperationalError", 'connection to server at "orders.internal" (10.0.0.5), port 5432 failed: FATAL:  '
             "sorry, too many clients already")], duration=300.0)
    return root_cause("target_service_limit", never=["db_auth_failed", "db_network_unreachable"])


def mysql_account_is_locked(w):
    w.broken("setSecret", [CREDENTIALS, raised("OperationalError", "(3118, \"Access denied for user 'app'@'10.0.3.17'. Account is locked.\")")],
             duration=300.0)
    return root_cause("db_auth_failed")


def oracle_account_is_locked(w):
    w.broken("setSecret", [CREDENTIALS, raised("DatabaseError", "ORA-28000: The account is locked.")], duration=300.0)
    return root_cause("db_auth_failed")
