"""SimulatePrincipalPolicy over the roles that moto keeps: identity policies, boundary and an organisation's policies."""

import json
import re
from urllib.parse import unquote
from xml.sax.saxutils import escape

from moto.iam.models import iam_backends


def simulate(account: str, form: dict, declared: dict[str, str], organization: list[dict]) -> str:
    """The XML inside the result: one evaluation for every action and resource."""
    role = role_of(account, form["PolicySourceArn"][0])
    actions = members(form, "ActionNames")
    resources = members(form, "ResourceArns") or ["*"]
    results = []
    for action in actions:
        for resource in resources:
            decision, source, unknown = decide(identity_policies(account, role), action, resource)
            detail = ""
            if role.permissions_boundary_arn:
                allowed = decide([("boundary", managed(account, role.permissions_boundary_arn))], action, resource)[0] == "allowed"
                detail += member("PermissionsBoundaryDecisionDetail", f"<AllowedByPermissionsBoundary>{str(allowed).lower()}"
                                 "</AllowedByPermissionsBoundary>")
                decision = decision if allowed else "implicitDeny" if decision == "allowed" else decision
            if organization:
                allowed = decide([("organization", {"Statement": organization})], action, resource)[0] == "allowed"
                detail += member("OrganizationsDecisionDetail", f"<AllowedByOrganizations>{str(allowed).lower()}"
                                 "</AllowedByOrganizations>")
                decision = decision if allowed else "explicitDeny"
            decision = declared.get(action, decision)
            matched = member("MatchedStatements", f"<member><SourcePolicyId>{escape(source)}</SourcePolicyId>"
                             "<SourcePolicyType>IAM Policy</SourcePolicyType></member>" if source else "")
            results.append(f"<member><EvalActionName>{action}</EvalActionName><EvalResourceName>{escape(resource)}"
                           f"</EvalResourceName><EvalDecision>{decision}</EvalDecision>{matched}<MissingContextValues>"
                           f"{''.join(member('member', key) for key in unknown)}</MissingContextValues>{detail}</member>")
    return f"<IsTruncated>false</IsTruncated><EvaluationResults>{''.join(results)}</EvaluationResults>"


def member(name: str, inner: str) -> str:
    return f"<{name}>{inner}</{name}>"


def members(form: dict, name: str) -> list[str]:
    numbered = [(int(key.rsplit(".", 1)[1]), values[0]) for key, values in form.items() if key.startswith(f"{name}.member.")]
    return [value for _, value in sorted(numbered)]


def role_of(account: str, arn: str):
    name = arn.rsplit("/", 1)[1]
    return next(role for role in iam_backends[account]["aws"].roles.values() if role.name == name)


def identity_policies(account: str, role) -> list[tuple[str, dict]]:
    inline = [(name, document(text)) for name, text in role.policies.items()]
    return inline + [(arn.rsplit("/", 1)[1], managed(account, arn)) for arn in role.managed_policies]


def managed(account: str, arn: str) -> dict:
    return document(iam_backends[account]["aws"].managed_policies[arn].versions[-1].document)


def document(text) -> dict:
    return json.loads(unquote(text)) if isinstance(text, str) else text


def decide(policies: list[tuple[str, dict]], action: str, resource: str) -> tuple[str, str, list[str]]:
    """The decision, the policy that made it, and the condition keys that nobody gave a value.

    As in IAM, a condition without its context does not match."""
    allowed, unknown = "", []
    for name, policy in policies:
        for statement in listed(policy["Statement"]):
            if not applies(statement, "Action", action, True) or not applies(statement, "Resource", resource, False):
                continue
            if "Condition" in statement:
                unknown += [key for keys in statement["Condition"].values() for key in keys if key not in unknown]
            elif statement["Effect"] == "Deny":
                return "explicitDeny", name, []
            else:
                allowed = allowed or name
    return ("allowed" if allowed else "implicitDeny"), allowed, unknown


def applies(statement: dict, element: str, value: str, ignore_case: bool) -> bool:
    if f"Not{element}" in statement:
        return not any(like(pattern, value, ignore_case) for pattern in listed(statement[f"Not{element}"]))
    return any(like(pattern, value, ignore_case) for pattern in listed(statement[element]))


def like(pattern: str, value: str, ignore_case: bool) -> bool:
    expression = "".join(".*" if c == "*" else "." if c == "?" else re.escape(c) for c in pattern)
    return re.fullmatch(expression, value, re.IGNORECASE | re.DOTALL if ignore_case else re.DOTALL) is not None


def listed(value) -> list:
    return value if isinstance(value, list) else [value]
