"""The templates in deploy/: cfn-lint passes them, moto creates them, and nothing in them is open to strangers.

Usage: deploy_check.py FOLDER   (needs cfn-lint, moto and boto3)
"""

import json
import pathlib
import subprocess
import sys
import warnings

import boto3
import cfnlint.decode
from moto import mock_aws

REGION = "eu-west-1"
ACCOUNT = "123456789012"
LOG_GROUP = "trail"


def create(client, name, path, parameters):
    client.create_stack(
        StackName=name,
        TemplateBody=path.read_text(),
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    stack = client.describe_stacks(StackName=name)["Stacks"][0]
    assert stack["StackStatus"] == "CREATE_COMPLETE", stack["StackStatus"]
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def statements(policy, effect):
    policy = json.loads(policy) if isinstance(policy, str) else policy
    return [statement for statement in policy["Statement"] if statement["Effect"] == effect]


def resources(path):
    """The resources of a template, by type, with its functions written out in full."""
    template, problems = cfnlint.decode.decode(str(path))
    assert not problems, problems
    by_type = {}
    for name, resource in template["Resources"].items():
        by_type.setdefault(resource["Type"], []).append((name, resource.get("Properties", {})))
    return by_type


def only(found, kind):
    (one,) = found[kind]
    return one[1]


def check_alarms(folder):
    """moto knows neither policies, subscriptions, metric filters nor alarms in templates: those are read."""
    found = resources(folder / "alarms.yaml")
    assert only(found, "AWS::SNS::Topic")["SignatureVersion"] == "2"
    own_account = {"Ref": "AWS::AccountId"}
    for kind in ("AWS::SNS::TopicPolicy", "AWS::SQS::QueuePolicy"):
        allowed = statements(only(found, kind)["PolicyDocument"], "Allow")
        assert allowed, kind
        for statement in allowed:
            assert set(statement["Principal"]) == {"Service"}, statement
            assert statement["Condition"]["StringEquals"]["aws:SourceAccount"] == own_account, statement
            # An alarm's ARN holds its name; with characters outside ASCII a condition on it does not hold.
            narrowed = any("aws:SourceArn" in condition for condition in statement["Condition"].values())
            assert narrowed == (statement["Principal"]["Service"] != "cloudwatch.amazonaws.com"), statement
    subscription = only(found, "AWS::SNS::Subscription")
    assert (subscription["Protocol"], subscription["RawMessageDelivery"]) == ("https", False)
    assert subscription["RedrivePolicy"]["deadLetterTargetArn"] == {"Fn::GetAtt": ["Undelivered", "Arn"]}
    queue = only(found, "AWS::SQS::Queue")
    # With the key that AWS manages SNS cannot write to it.
    assert queue.get("SqsManagedSseEnabled") is True and "KmsMasterKeyId" not in queue, queue
    transformations = [filter["MetricTransformations"][0] for _, filter in found["AWS::Logs::MetricFilter"]]
    metrics = {(one["MetricNamespace"], one["MetricName"], one["MetricValue"]) for one in transformations}
    assert metrics == {("RotationDiag", "RotationFailed", "1")}, metrics
    places = [one["Dimensions"] for one in transformations]
    assert places == [
        [{"Key": "SecretId", "Value": "$.additionalEventData.SecretId"}],
        [{"Key": "SecretId", "Value": "$.serviceEventDetails.secretId"}],
    ], places
    for actions in ("AlarmActions", "OKActions"):
        assert only(found, "AWS::CloudWatch::Alarm")[actions] == [{"Ref": "Topic"}]

    boto3.client("logs", REGION).create_log_group(logGroupName=LOG_GROUP)
    parameters = {"Endpoint": "https://bot.example/sns", "TrailLogGroup": LOG_GROUP}
    outputs = create(boto3.client("cloudformation", REGION), "alarms", folder / "alarms.yaml", parameters)
    topic = outputs["TopicArn"]
    # What the configuration names before there is a topic.
    assert topic == f"arn:aws:sns:{REGION}:{ACCOUNT}:rotation-diag", topic
    assert boto3.client("sns", REGION).get_topic_attributes(TopicArn=topic)
    assert boto3.client("sqs", REGION).get_queue_attributes(QueueUrl=outputs["UndeliveredUrl"])
    logs = boto3.client("logs", REGION)
    for _, one in found["AWS::Logs::MetricFilter"]:
        logs.put_metric_filter(
            logGroupName=LOG_GROUP,
            filterName="one",
            filterPattern=one["FilterPattern"],
            metricTransformations=[{"metricNamespace": "n", "metricName": "m", "metricValue": "1"}],
        )
    events = boto3.client("events", REGION)
    (rule,) = events.list_rules()["Rules"]
    pattern = json.loads(rule["EventPattern"])
    by_trail, direct = pattern["$or"]
    told = ["RotationFailed", "RotationAbandoned", "TestRotationFailed", "RotationSucceeded"]
    assert by_trail["detail"]["eventName"] == told, pattern
    assert (direct["detail-type"], direct["detail"]) == (["Secret Label Updated"], {"labelUpdated": ["AWSCURRENT"]}), pattern
    assert events.list_targets_by_rule(Rule=rule["Name"])["Targets"][0]["Arn"] == topic


def check_role(folder):
    create(
        boto3.client("cloudformation", REGION),
        "reader",
        folder / "reader-role.yaml",
        {"BotPrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/bot", "ExternalId": "a-text-nobody-guesses"},
    )
    iam = boto3.client("iam", REGION)
    role = iam.get_role(RoleName="rotation-diag-reader")["Role"]
    trust, naming = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Condition"]["StringEquals"]["sts:ExternalId"] == "a-text-nobody-guesses", trust
    # Without the other statement it opens nothing, so that it needs no external id.
    assert naming["Action"] == "sts:SetSourceIdentity", naming
    for statement in (trust, naming):
        assert "*" not in json.dumps(statement["Principal"]), statement
    policy = only(resources(folder / "reader-role.yaml"), "AWS::IAM::Role")["Policies"][0]["PolicyDocument"]
    expected = json.loads((folder / "iam-policy.json").read_text())
    assert policy == expected, "reader-role.yaml does not allow what iam-policy.json allows"


def check_ecs(folder):
    """What moto does not play is read: who may do what, what can be written to, and that there is never a second task."""
    found = resources(folder / "ecs.yaml")
    roles = dict(found["AWS::IAM::Role"])
    expected = json.loads((folder / "iam-policy.json").read_text())
    policies = roles["TaskRole"]["Policies"]
    assert expected in [policy.get("PolicyDocument") for policy in policies], "ecs.yaml does not allow what iam-policy.json allows"
    for name, role in roles.items():
        (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}, name
    # The bot denies itself secret values; its tokens are fetched for it, and nothing but them.
    for policy in roles["ExecutionRole"]["Policies"]:
        for statement in policy["PolicyDocument"]["Statement"]:
            assert statement["Effect"] == "Allow" and "*" not in json.dumps(statement["Resource"]), statement
    (container,) = only(found, "AWS::ECS::TaskDefinition")["ContainerDefinitions"]
    assert container["ReadonlyRootFilesystem"] is True and container["User"] != "0:0", container
    assert {secret["Name"] for secret in container["Secrets"]} == {"ROTATION_DIAG_TOML", "SLACK_BOT_TOKEN", "SLACK_APP_TOKEN"}
    assert not any("TOKEN" in variable["Name"] for variable in container["Environment"]), container["Environment"]
    service = only(found, "AWS::ECS::Service")
    deployment = service["DeploymentConfiguration"]
    assert (service["DesiredCount"], deployment["MaximumPercent"], deployment["MinimumHealthyPercent"]) == (1, 100, 0), service
    files = only(found, "AWS::EFS::FileSystem")
    assert files["Encrypted"] is True and files["BackupPolicy"]["Status"] == "ENABLED", files
    (rule,) = [one for _, one in found["AWS::ElasticLoadBalancingV2::ListenerRule"]]
    (paths,) = [condition["PathPatternConfig"]["Values"] for condition in rule["Conditions"]]
    assert not any(path in ("/*", "*") or "z" in path for path in paths), paths


def main(folder):
    for template in sorted(folder.glob("*.yaml")):
        subprocess.run([pathlib.Path(sys.executable).with_name("cfn-lint"), str(template)], check=True)
        print(f"{template.name}: cfn-lint passes it")
    warnings.filterwarnings("ignore", message="Tried to parse")
    with mock_aws():
        check_alarms(folder)
        check_role(folder)
    check_ecs(folder)
    print("moto creates the topic and the role; nothing in the templates is open to strangers")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
