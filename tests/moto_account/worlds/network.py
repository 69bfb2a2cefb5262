"""Packets that never arrive."""

from ..world import DAY, HOUR, MINUTE, NOW, VPC, root_cause
from .lines import CREDENTIALS, info, login_failed, raised


def vpc_without_a_way_out(w):
    w.role().secret().function(VpcConfig=VPC)
    w.broken("createSecret", [CREDENTIALS, "{stamp} {id} Task timed out after 30.03 seconds\n"], duration=30030.0, status="Status: timeout")
    return root_cause("aws_endpoint_unreachable", never=["lambda_timeout_too_short", "db_network_unreachable"])


def connect_timeout_on_the_endpoint(w):
    w.role().secret().function(VpcConfig=VPC, Timeout=300)
    w.broken("createSecret", [CREDENTIALS, raised("ConnectTimeoutError", 'Connect timeout on endpoint URL: '
             '"https://secretsmanager.eu-west-1.amazonaws.com/"')], duration=242000.0)
    w.event("DeleteVpcEndpoints", "ec2", NOW - 5 * HOUR - 12 * MINUTE, actor="frank", params={
            "DeleteVpcEndpointsRequest": {"VpcEndpointId": {"tag": 1, "content": "vpce-0aa1bb2cc"}}})
    return root_cause("aws_endpoint_unreachable", says=["frank"])


def node_cannot_reach_the_endpoint(w):
    w.role().secret().function(VpcConfig=VPC, Runtime="nodejs20.x", Handler="index.handler")
    w.broken("createSecret", ['{stamp}\t{id}\tERROR\tInvoke Error \t{"errorType":"TimeoutError","errorMessage":"connect ETIMEDOUT '
             '52.95.112.3:443","code":"ETIMEDOUT","errno":-110,"syscall":"connect","address":"52.95.112.3","port":443,"stack":["Error: '
             'connect ETIMEDOUT 52.95.112.3:443"]}'], duration=15000.0)
    return root_cause("aws_endpoint_unreachable", never=["db_network_unreachable"])


def login_takes_ten_seconds(w):
    w.role().secret().function(VpcConfig=VPC)
    w.broken("setSecret", login_failed(), duration=10250.0)
    w.event("RevokeSecurityGroupIngress", "ec2", NOW - 5 * HOUR - 10 * MINUTE, actor="gina",
            params={"groupId": "sg-0db", "cidrIp": "10.0.0.0/16", "fromPort": 5432})
    return root_cause("db_network_unreachable", also=["stuck_awspending"], says=["gina"], never=["db_auth_failed"])


def psycopg_cannot_connect(w):
    w.broken("setSecret", [CREDENTIALS, raised("OperationalError", 'connection to server at "orders.internal" (10.0.3.4), port 5432 failed: '
             "Connection timed out\n\tIs the server running on that host and accepting TCP/IP connections?")], duration=12000.0)
    return root_cause("db_network_unreachable", never=["aws_endpoint_unreachable"])


def mysql_of_node_cannot_connect(w):
    w.role().secret().function(Runtime="nodejs20.x", Handler="index.handler")
    w.broken("setSecret", ['{stamp}\t{id}\tERROR\tInvoke Error \t{"errorType":"Error","errorMessage":"connect ETIMEDOUT","code":"ETIMEDOUT",'
             '"errorno":"ETIMEDOUT","syscall":"connect","fatal":true,"stack":["Error: connect ETIMEDOUT","    at Connection._handleTimeoutError '
             '(/var/task/node_modules/mysql2/lib/base/connection.js:205:13)"]}'], duration=10100.0)
    return root_cause("db_network_unreachable", never=["aws_endpoint_unreachable"])


def host_name_does_not_resolve(w):
    w.broken("setSecret", [CREDENTIALS, raised("OperationalError", 'could not translate host name "orders.internal" to address: '
             "Name or service not known")])
    return root_cause("db_network_unreachable")


def pymysql_cannot_connect(w):
    w.broken("testSecret", [CREDENTIALS, raised("OperationalError", "(2003, \"Can't connect to MySQL server on 'orders.internal' "
             "([Errno 111] Connection refused)\")")])
    return root_cause("db_network_unreachable")


def oracle_listener_is_silent(w):
    w.broken("setSecret", [CREDENTIALS, raised("OperationalError", "DPY-6005: cannot connect to database (CONNECTION_ID=abc). "
             "[Errno 110] Connection timed out")], duration=20000.0)
    return root_cause("db_network_unreachable")


def sql_server_is_silent(w):
    w.broken("setSecret", [CREDENTIALS, raised("OperationalError", "(20009, b'DB-Lib error message 20009, severity 9:\\nUnable to connect: "
             "Adaptive Server is unavailable or does not exist (orders.internal)\\nNet-Lib error during Connection timed out (110)\\n')")],
             duration=11000.0)
    return root_cause("db_network_unreachable")


def mongo_selects_no_server(w):
    w.broken("setSecret", [CREDENTIALS, raised("ServerSelectionTimeoutError", "orders.internal:27017: timed out (configured timeouts: "
             "socketTimeoutMS: 20000.0ms, connectTimeoutMS: 20000.0ms), Timeout: 5.0s, Topology Description: <TopologyDescription id: 1>")],
             duration=5400.0)
    return root_cause("db_network_unreachable")


def jdbc_cannot_connect(w):
    w.role().secret().function(Runtime="java17", Handler="com.shop.Rotation::handleRequest", Timeout=60)
    w.broken("setSecret", ["com.mysql.cj.jdbc.exceptions.CommunicationsException: Communications link failure\n\nThe last packet sent "
             "successfully to the server was 0 milliseconds ago. The driver has not received any packets from the server.\n\tat "
             "com.mysql.cj.jdbc.exceptions.SQLError.createCommunicationsException(SQLError.java:174)\nCaused by: "
             "java.net.SocketTimeoutException: Connect timed out"], duration=30200.0)
    return root_cause("db_network_unreachable")


def hangs_in_set_secret(w):
    w.role().secret().function(VpcConfig=VPC)
    w.broken("setSecret", [CREDENTIALS, info("setSecret: connecting to orders.internal:5432"),
             "{stamp} {id} Task timed out after 30.03 seconds\n"], duration=30030.0, status="Status: timeout")
    return root_cause("db_network_unreachable", never=["aws_endpoint_unreachable"])


def three_seconds_are_too_short(w):
    w.role().secret().function(Timeout=3)
    w.broken("setSecret", [CREDENTIALS, info("setSecret: connected, changing the password of app"),
             "{stamp} {id} Task timed out after 3.00 seconds\n"], duration=3000.0, status="Status: timeout")
    return root_cause("lambda_timeout_too_short", says=["--timeout"], never=["aws_endpoint_unreachable"])


def five_attempts_overnight_that_all_hang(w):
    w.role().secret().function(VpcConfig=VPC).rotating(last=NOW - 31 * DAY, due=NOW - DAY)
    w.failing("createSecret", [CREDENTIALS, "{stamp} {id} Task timed out after 30.00 seconds\n"], first=NOW - 20 * HOUR, times=5,
              duration=30000.0, status="Status: timeout")
    return root_cause("aws_endpoint_unreachable")
