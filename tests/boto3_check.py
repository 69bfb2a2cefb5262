"""Runs boto3 against simulators and holds every raw answer against botocore's service models.

Usage: python3 tests/boto3_check.py ENDPOINT...

boto3 validates the parameters and parses the answers. On top of that, no answer may have a member its output
shape does not know, lack one it requires, or have one of another type; every error code has to be one that the
operation declares, or one common to all services. An operation that no endpoint ever answered is a failure too.
"""

import datetime
import functools
import json
import sys
import urllib.parse
import xml.etree.ElementTree as xml

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionError, HTTPClientError
from botocore.parsers import ResponseParserError, RpcV2CBORParser
from botocore.session import Session

REGIONS = ["eu-west-1", "us-east-1"]
COMMON_ERRORS = {
    "AccessDenied", "AccessDeniedException", "Throttling", "ThrottlingException", "TooManyRequestsException",
    "SubscriptionRequiredException", "ValidationException", "ValidationError", "InternalFailure",
    # The service model of EC2 declares no errors at all.
    "UnauthorizedOperation", "RequestLimitExceeded",
}  # fmt: skip

complaints = []
answered = set()
asked = set()


def complain(where, text):
    complaints.append(f"{where}: {text}")


def check(value, shape, where):
    """A raw JSON or decoded CBOR value against its shape."""
    kind = shape.type_name
    if kind == "structure":
        if not isinstance(value, dict):
            return complain(where, f"not a structure: {value!r}")
        names = {member.serialization.get("name", name): (name, member) for name, member in shape.members.items()}
        for name in shape.required_members:
            if shape.members[name].serialization.get("name", name) not in value:
                complain(where, f"lacks the required member {name}")
        for name, item in value.items():
            if name not in names:
                complain(where, f"unknown member {name}")
            elif item is None:
                complain(where, f"{name} is null")
            else:
                check(item, names[name][1], f"{where}.{name}")
    elif kind == "list":
        if not isinstance(value, list):
            return complain(where, f"not a list: {value!r}")
        for index, item in enumerate(value):
            check(item, shape.member, f"{where}[{index}]")
    elif kind == "map":
        if not isinstance(value, dict):
            return complain(where, f"not a map: {value!r}")
        for key, item in value.items():
            check(item, shape.value, f"{where}[{key}]")
    else:
        scalar(value, shape, where)


def scalar(value, shape, where):
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    fits = {
        "string": isinstance(value, str),
        "boolean": isinstance(value, bool),
        "integer": isinstance(value, int) and number,
        "long": isinstance(value, int) and number,
        "double": number,
        "float": number,
        "timestamp": number or isinstance(value, datetime.datetime),
    }
    if not fits.get(shape.type_name, True):
        complain(where, f"{value!r} is no {shape.type_name}")
    if shape.type_name == "string" and getattr(shape, "enum", None) and value not in shape.enum:
        # The real service answers these with values that the model does not list; an endpoint's state it writes in lower case
        # (EC2 API reference, example of DescribeVpcEndpoints).
        unlisted = where.rsplit(".", 1)[-1] in ("PermissionsBoundaryType", "SourcePolicyType")
        if not unlisted and not (".vpcEndpointSet[" in where and value.capitalize() in shape.enum):
            complain(where, f"{value!r} is not one of {shape.enum}")


def tag(element):
    return element.tag.rsplit("}", 1)[-1]


def from_xml(element, shape, where):
    """The XML element as the JSON it would have been; complains about what cannot be read."""
    kind = shape.type_name
    if kind == "structure":
        names = {member.serialization.get("name", name): member for name, member in shape.members.items()}
        value = {}
        for child in element:
            if tag(child) in value:
                complain(where, f"{tag(child)} comes twice")
            member = names.get(tag(child))
            value[tag(child)] = from_xml(child, member, f"{where}.{tag(child)}") if member else None
            if member is None:
                complain(where, f"unknown member {tag(child)}")
        return {name: item for name, item in value.items() if item is not None}
    if kind == "list":
        expected = shape.member.serialization.get("name", "member")
        for child in element:
            if tag(child) != expected:
                complain(where, f"a list holds <{tag(child)}>, not <{expected}>")
        return [from_xml(child, shape.member, where) for child in element]
    text = element.text or ""
    try:
        if kind == "boolean":
            return {"true": True, "false": False}[text]
        if kind in ("integer", "long"):
            return int(text)
        if kind in ("double", "float"):
            return float(text)
        if kind == "timestamp":
            return datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ")
    except (KeyError, ValueError):
        complain(where, f"{text!r} is no {kind}")
    return text


def raw_answer(operation_model, response_dict, **_):
    """Called by botocore before it parses an answer."""
    service = operation_model.service_model
    where = f"{service.service_name}.{operation_model.name} ({service.resolved_protocol})"
    if response_dict["status_code"] >= 300:
        return
    body, shape = response_dict["body"], operation_model.output_shape
    protocol = service.resolved_protocol
    if protocol == "query":
        root = xml.fromstring(body)
        if tag(root) != f"{operation_model.name}Response":
            complain(where, f"the root is <{tag(root)}>")
        children = {tag(child): child for child in root}
        if set(children) != {f"{operation_model.name}Result", "ResponseMetadata"}:
            complain(where, f"the root holds {sorted(children)}")
        value = from_xml(children[f"{operation_model.name}Result"], shape, where)
    elif protocol == "ec2":
        root = xml.fromstring(body)
        if tag(root) != f"{operation_model.name}Response":
            complain(where, f"the root is <{tag(root)}>")
        for child in [child for child in root if tag(child) == "requestId"]:
            root.remove(child)
        value = from_xml(root, shape, where)
    elif protocol == "smithy-rpc-v2-cbor":
        if response_dict["headers"].get("smithy-protocol") != "rpc-v2-cbor":
            complain(where, "the header smithy-protocol is not rpc-v2-cbor")
        parser = RpcV2CBORParser()
        value = parser.parse_data_item(parser.get_peekable_stream_from_bytes(body))
    else:
        value = json.loads(body)
    check(value, shape, where)


def declared_errors(model):
    codes = set(COMMON_ERRORS)
    for shape in model.error_shapes:
        codes.add(shape.metadata.get("error", {}).get("code", shape.name))
        codes.add(shape.name)
    return codes


@functools.cache
def session_of(region, protocol):
    """One for all endpoints, because loading the service models takes longer than asking."""
    session = Session()
    if protocol:
        loader = session.get_component("data_loader")
        load = loader.load_service_model

        def only(*arguments, **keywords):
            model = load(*arguments, **keywords)
            if protocol in model.get("metadata", {}).get("protocols", []):
                model["metadata"].update(protocols=[protocol], protocol=protocol)
            return model

        loader.load_service_model = only
    return boto3.Session(
        botocore_session=session,
        aws_access_key_id="AKIATEST",
        aws_secret_access_key="not-a-real-key",
        region_name=region,
    )


class Account:
    """One simulator, asked through boto3."""

    def __init__(self, endpoint, region, protocol=None):
        self.session = session_of(region, protocol)
        self.endpoint = endpoint
        self.clients = {}

    def client(self, service):
        if service not in self.clients:
            config = Config(retries={"max_attempts": 2, "mode": "standard"}, read_timeout=3, connect_timeout=3)
            client = self.session.client(service, endpoint_url=self.endpoint, config=config)
            client.meta.events.register("before-parse.*.*", raw_answer)
            self.clients[service] = client
        return self.clients[service]

    def ask(self, service, operation, token=None, **parameters):
        """All pages of an operation; none where it was refused."""
        client = self.client(service)
        model = client.meta.service_model.operation_model(operation)
        protocol = model.service_model.resolved_protocol
        where = f"{service}.{operation} ({protocol})"
        asked.add(where)
        method = next(name for name, known in client.meta.method_to_api_mapping.items() if known == operation)
        pages, seen = [], set()
        while True:
            try:
                page = getattr(client, method)(**parameters)
            except ClientError as error:
                code = error.response["Error"]["Code"]
                if code not in declared_errors(model):
                    complain(where, f"undeclared error {code}")
                if not error.response["Error"].get("Message"):
                    complain(where, f"{code} has no message")
                return pages
            except (ConnectionError, HTTPClientError):
                return pages  # a fault the scenario asked for
            except ResponseParserError as error:
                complain(where, f"unparsable: {error}")
                return pages
            answered.add(where)
            pages.append(page)
            following = page.get(token) if token else None
            if not following:
                return pages
            if following in seen:
                complain(where, "the same token twice")
                return pages
            seen.add(following)
            parameters[token] = following

    def one(self, *arguments, **parameters):
        pages = self.ask(*arguments, **parameters)
        return pages[0] if pages else {}


def items(pages, member):
    return [item for page in pages for item in page.get(member, [])]


def document(text, where):
    """A policy document of IAM: percent-encoded JSON. botocore decodes it by itself."""
    if isinstance(text, str):
        try:
            text = json.loads(urllib.parse.unquote(text))
        except ValueError:
            return complain(where, "the document is not percent-encoded JSON")
    if not isinstance(text, dict) or "Statement" not in text:
        complain(where, "the document has no Statement")


def secrets(account):
    functions = set()
    listed = items(
        account.ask("secretsmanager", "ListSecrets", "NextToken", IncludePlannedDeletion=True, MaxResults=50),
        "SecretList",
    )
    account.ask("secretsmanager", "ListSecrets", "NextToken", Filters=[{"Key": "all", "Values": ["prod"]}])
    for entry in listed:
        secret = account.one("secretsmanager", "DescribeSecret", SecretId=entry["ARN"])
        account.ask("secretsmanager", "ListSecretVersionIds", "NextToken", SecretId=entry["Name"])
        policy = account.one("secretsmanager", "GetResourcePolicy", SecretId=entry["Name"]).get("ResourcePolicy")
        if policy:
            json.loads(policy)
        if secret.get("RotationLambdaARN"):
            functions.add(secret["RotationLambdaARN"])
        if secret.get("KmsKeyId"):
            account.ask("kms", "DescribeKey", KeyId=secret["KmsKeyId"])
            account.ask("kms", "GetKeyPolicy", KeyId=secret["KmsKeyId"], PolicyName="default")
    account.ask("secretsmanager", "DescribeSecret", SecretId="no-such-secret")
    account.ask("kms", "DescribeKey", KeyId="no-such-key")
    return functions, [entry["ARN"] for entry in listed]


def role(account, name, resources):
    found = account.one("iam", "GetRole", RoleName=name).get("Role")
    if not found:
        return
    document(found["AssumeRolePolicyDocument"], f"role {name}")
    for policy in items(account.ask("iam", "ListRolePolicies", "Marker", RoleName=name, MaxItems=50), "PolicyNames"):
        inline = account.one("iam", "GetRolePolicy", RoleName=name, PolicyName=policy)
        if inline:
            document(inline["PolicyDocument"], f"policy {policy}")
    attached = items(account.ask("iam", "ListAttachedRolePolicies", "Marker", RoleName=name), "AttachedPolicies")
    arns = [policy["PolicyArn"] for policy in attached]
    if "PermissionsBoundary" in found:
        arns.append(found["PermissionsBoundary"]["PermissionsBoundaryArn"])
    for arn in arns:
        policy = account.one("iam", "GetPolicy", PolicyArn=arn).get("Policy")
        if policy:
            version = account.one("iam", "GetPolicyVersion", PolicyArn=arn, VersionId=policy["DefaultVersionId"])
            if version:
                document(version["PolicyVersion"]["Document"], f"policy {arn}")
    account.ask(
        "iam",
        "SimulatePrincipalPolicy",
        "Marker",
        PolicySourceArn=found["Arn"],
        ActionNames=["secretsmanager:PutSecretValue", "secretsmanager:GetSecretValue"],
        ResourceArns=resources[:2] or ["*"],
        ContextEntries=[
            {"ContextKeyName": "aws:PrincipalTag/team", "ContextKeyValues": ["a"], "ContextKeyType": "string"}
        ],
    )


def function(account, arn, resources):
    configuration = account.one("lambda", "GetFunctionConfiguration", FunctionName=arn)
    account.ask("lambda", "GetPolicy", FunctionName=arn)
    account.ask("lambda", "GetFunctionConcurrency", FunctionName=arn.split(":")[6])
    account.ask("lambda", "GetFunction", FunctionName=arn)
    if not configuration:
        return
    for layer in configuration.get("Layers", []):
        account.ask("lambda", "GetLayerVersionByArn", Arn=layer["Arn"])
    role(account, configuration["Role"].rsplit("/", 1)[-1], resources)
    group = configuration["LoggingConfig"]["LogGroup"]
    account.ask("logs", "FilterLogEvents", "nextToken", logGroupName=group, filterPattern='?START ?"Status: timeout"')
    metrics(account, configuration["FunctionName"])


def metrics(account, name):
    end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=2000)
    query = [
        {
            "Id": metric.lower(),
            "MetricStat": {
                "Metric": {
                    "Namespace": "AWS/Lambda",
                    "MetricName": metric,
                    "Dimensions": [{"Name": "FunctionName", "Value": name}],
                },
                "Period": 300,
                "Stat": statistic,
            },
        }
        for metric, statistic in [("Invocations", "Sum"), ("Errors", "Sum"), ("Duration", "Maximum")]
    ]
    account.ask(
        "cloudwatch",
        "GetMetricData",
        "NextToken",
        MetricDataQueries=query,
        StartTime=end - datetime.timedelta(days=4000),
        EndTime=end,
        ScanBy="TimestampAscending",
    )


def trail(account):
    for attribute in ["RotationStarted", "RotationFailed", "PutRolePolicy", "GetSecretValue"]:
        events = items(
            account.ask(
                "cloudtrail",
                "LookupEvents",
                "NextToken",
                LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": attribute}],
                MaxResults=50,
            ),
            "Events",
        )
        for event in events:
            record = json.loads(event["CloudTrailEvent"])
            if record["eventName"] != event["EventName"] or record["eventID"] != event["EventId"]:
                complain("cloudtrail.LookupEvents", f"{event['EventName']} carries another record")
    for found in account.one("cloudtrail", "DescribeTrails").get("trailList", []):
        if "CloudWatchLogsLogGroupArn" in found and found["HomeRegion"] == account.session.region_name:
            account.ask(
                "logs",
                "FilterLogEvents",
                "nextToken",
                logGroupName=found["CloudWatchLogsLogGroupArn"].split(":")[6],
                filterPattern='{ ($.eventName = "Rotation*") && ($.eventSource = "secretsmanager.amazonaws.com") }',
            )


def network(account):
    """What EC2 knows, all of it and by filters; and RDS's databases, each by its name."""
    ask = functools.partial(account.ask, "ec2")
    subnets = items(ask("DescribeSubnets", "NextToken", MaxResults=5), "Subnets")
    for vpc in sorted({subnet["VpcId"] for subnet in subnets}):
        of_vpc = [{"Name": "vpc-id", "Values": [vpc, "vpc-none"]}]
        tables = items(ask("DescribeRouteTables", "NextToken", Filters=of_vpc, MaxResults=100), "RouteTables")
        if not any(route.get("GatewayId") == "local" for table in tables for route in table["Routes"]) and tables:
            complain("ec2.DescribeRouteTables", "no local route")
        for operation in ["DescribeNetworkAcls", "DescribeVpcEndpoints", "DescribeTransitGatewayVpcAttachments"]:
            ask(operation, "NextToken", Filters=of_vpc)
        ask("DescribeNatGateways", "NextToken", Filter=of_vpc)
        attached = [{"Name": "resource-id", "Values": [vpc]}]
        for attachment in items(ask("DescribeTransitGatewayAttachments", "NextToken", Filters=attached), "TransitGatewayAttachments"):
            table = attachment.get("Association", {}).get("TransitGatewayRouteTableId")
            if table and attachment["TransitGatewayOwnerId"] == attachment["ResourceOwnerId"]:
                by_state = [{"Name": "state", "Values": ["active", "blackhole"]}]
                ask("SearchTransitGatewayRoutes", TransitGatewayRouteTableId=table, Filters=by_state, MaxResults=1000)
        for attribute in ["enableDnsSupport", "enableDnsHostnames"]:
            ask("DescribeVpcAttribute", VpcId=vpc, Attribute=attribute)
        for group in items(ask("DescribeSecurityGroups", "NextToken", Filters=of_vpc), "SecurityGroups"):
            by_id = [{"Name": "group-id", "Values": [group["GroupId"]]}]
            ask("DescribeSecurityGroups", "NextToken", Filters=by_id)
            for rule in group["IpPermissions"] + group["IpPermissionsEgress"]:
                for listed in rule.get("PrefixListIds", []):
                    ask("GetManagedPrefixListEntries", "NextToken", PrefixListId=listed["PrefixListId"])
    ask("DescribeVpcPeeringConnections", "NextToken")
    ask = functools.partial(account.ask, "rds")
    for instance in items(ask("DescribeDBInstances", "Marker", MaxRecords=20), "DBInstances"):
        ask("DescribeDBInstances", "Marker", DBInstanceIdentifier=instance["DBInstanceIdentifier"])
        ask("DescribeDBInstances", "Marker", Filters=[{"Name": "engine", "Values": [instance["Engine"]]}])
        group = instance["DBParameterGroups"][0]["DBParameterGroupName"]
        by_name = [{"Name": "parameter-name", "Values": ["rds.force_ssl", "require_secure_transport"]}]
        ask("DescribeDBParameters", "Marker", DBParameterGroupName=group, Filters=by_name)
    for cluster in items(ask("DescribeDBClusters", "Marker"), "DBClusters"):
        ask("DescribeDBClusters", "Marker", DBClusterIdentifier=cluster["DBClusterIdentifier"])
        ask("DescribeDBClusterParameters", "Marker", DBClusterParameterGroupName=cluster["DBClusterParameterGroup"])
    ask("DescribeDBProxies", "Marker")
    for operation, parameter in [
        ("DescribeDBInstances", "DBInstanceIdentifier"),
        ("DescribeDBClusters", "DBClusterIdentifier"),
        ("DescribeDBProxies", "DBProxyName"),
        ("DescribeDBParameters", "DBParameterGroupName"),
    ]:
        ask(operation, "Marker", **{parameter: "no-such-thing"})


def main(endpoints):
    for endpoint in endpoints:
        for region in REGIONS:
            account = Account(endpoint, region)
            functions, resources = secrets(account)
            for arn in sorted(functions):
                function(account, arn, resources)
                if region == REGIONS[0]:
                    for protocol in ["smithy-rpc-v2-cbor", "query"]:
                        metrics(Account(endpoint, region, protocol), arn.split(":")[6])
            trail(account)
            network(account)
            account.ask("logs", "DescribeLogGroups", "nextToken", limit=50)
            account.ask("health", "DescribeEvents", filter={"eventStatusCodes": ["open", "closed"]})
            account.ask("sts", "GetCallerIdentity")
            account.ask("sts", "AssumeRole", RoleArn="arn:aws:iam::123456789012:role/a", RoleSessionName="session")
    for where in sorted(asked - answered):
        complain(where, "never answered by any endpoint")
    if len(answered) < 42:
        complain("the whole", f"only {len(answered)} operations were answered")
    for complaint in sorted(set(complaints))[:60]:
        print(complaint, file=sys.stderr)
    print(f"{len(answered)} operations over {len(endpoints)} endpoints, {len(set(complaints))} complaints")
    return 1 if complaints else 0


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1:]))
