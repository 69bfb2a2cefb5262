"""Networks and databases that moto keeps as EC2 and RDS would: each hop broken alone, and near misses that are healthy."""

import json

from ..vpc import Vpc
from ..world import REGION, healthy, root_cause
from .lines import CREDENTIALS, raised

TIMEOUT = "{stamp} {id} Task timed out after 30.03 seconds\n"


def _hangs(w, step="setSecret"):
    w.broken(step, [CREDENTIALS, TIMEOUT], duration=30030.0, status="Status: timeout")


def _refused(w, host, why="Connection timed out"):
    w.broken("setSecret", [CREDENTIALS, raised("OperationalError", f'connection to server at "{host}" (10.20.11.7), port 5432 failed: {why}')],
             duration=12000.0)


def the_databases_group_lets_the_application_in_alone(w):
    vpc = Vpc(w)
    vpc.database(rules=[(5432, "10.20.50.0/24"), (22, "10.20.0.0/16")]).function()
    _refused(w, vpc.host)
    return root_cause("db_network_unreachable", confidence="Confirmed", never=["aws_endpoint_unreachable", "db_not_available"],
                      says=[vpc.database_group, vpc.function_group])


def the_databases_group_lets_another_port_in(w):
    vpc = Vpc(w)
    vpc.database(rules=[]).let_in(vpc.database_group, 3306, vpc.function_group)
    vpc.function()
    _hangs(w)
    return root_cause("db_network_unreachable", says=[vpc.database_group, "5432"])


def the_functions_group_lets_https_out_alone(w):
    vpc = Vpc(w)
    everything = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
    vpc.ec2.revoke_security_group_egress(GroupId=vpc.function_group, IpPermissions=everything)
    vpc.ec2.authorize_security_group_egress(GroupId=vpc.function_group, IpPermissions=[
        {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}])
    vpc.database().function()
    _refused(w, vpc.host)
    return root_cause("db_network_unreachable", says=[vpc.function_group])


def the_acl_of_the_database_drops_its_answers(w):
    vpc = Vpc(w)
    vpc.database()
    acl = vpc.acl(vpc.database_subnets, (100, False, "allow", (5432, 5432), "10.20.0.0/16"), (100, True, "allow", (5432, 5432), "10.20.0.0/16"))
    vpc.function()
    _refused(w, vpc.host)
    return root_cause("db_network_unreachable", says=[acl])


def the_database_was_stopped(w):
    vpc = Vpc(w)
    vpc.database().function()
    vpc.rds.stop_db_instance(DBInstanceIdentifier="orders")
    _refused(w, vpc.host)
    return root_cause("db_not_available", says=["orders"])


def no_way_out_of_the_subnets(w):
    vpc = Vpc(w, way_out="none")
    vpc.database().function()
    _hangs(w, "createSecret")
    return root_cause("aws_endpoint_unreachable", never=["lambda_timeout_too_short", "db_network_unreachable"])


def the_function_stands_in_public_subnets(w):
    vpc = Vpc(w, way_out="internet")
    vpc.function()
    _hangs(w, "createSecret")
    return root_cause("lambda_in_public_subnet", never=["lambda_timeout_too_short"])


def the_endpoints_group_lets_nobody_in(w):
    vpc = Vpc(w, way_out="none")
    group = vpc.group("endpoint", (443, "10.20.200.0/24"))
    vpc.endpoint(groups=[group])
    vpc.function()
    _hangs(w, "createSecret")
    return root_cause("aws_endpoint_unreachable", says=[group])


def the_endpoints_policy_names_other_secrets(w):
    other = f"arn:aws:secretsmanager:{REGION}:{w.account}:secret:other/*"
    vpc = Vpc(w, way_out="endpoint", policy=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": "*", "Action": "secretsmanager:*", "Resource": other}]}))
    vpc.function()
    w.broken("createSecret", [CREDENTIALS, raised(
        "ClientError", "An error occurred (AccessDeniedException) when calling the DescribeSecret operation: User: arn:aws:sts::{account}:"
        "assumed-role/{role}/{function} is not authorized to perform: secretsmanager:DescribeSecret on resource: {arn} because no VPC endpoint "
        "policy allows the secretsmanager:DescribeSecret action")])
    return root_cause("vpc_endpoint_policy_deny", says=[vpc.endpoint_id], never=["iam_identity_policy_missing"])


def nobody_may_ask_ec2(w):
    vpc = Vpc(w)
    vpc.database(rules=[]).function()
    w.deny("ec2:*")
    _refused(w, vpc.host)
    return root_cause("db_network_unreachable", needs=["ec2:DescribeSecurityGroups", "ec2:DescribeRouteTables"])


def nobody_may_ask_rds(w):
    vpc = Vpc(w)
    vpc.database(rules=[]).function()
    w.deny("rds:*")
    _refused(w, vpc.host)
    return root_cause("db_network_unreachable", needs=["rds:DescribeDBInstances"])


def healthy_behind_a_nat_gateway(w):
    vpc = Vpc(w)
    vpc.database().function().rotating()
    w.succeeded()
    return healthy(never=["db_network_unreachable", "aws_endpoint_unreachable", "lambda_in_public_subnet"])


def healthy_by_a_range_and_an_endpoint(w):
    vpc = Vpc(w, way_out="endpoint")
    vpc.database(rules=[(5432, "10.20.0.0/16")]).function().rotating()
    w.succeeded()
    return healthy(never=["db_network_unreachable", "aws_endpoint_unreachable", "vpc_endpoint_policy_deny"])


def healthy_where_nobody_may_ask_ec2_and_rds(w):
    vpc = Vpc(w)
    vpc.database().function().rotating()
    w.deny("ec2:*", "rds:*")
    w.succeeded()
    return healthy(needs=["ec2:DescribeSubnets", "rds:DescribeDBInstances"])
