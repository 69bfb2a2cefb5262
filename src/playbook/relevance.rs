//! Which changes concern the secret: its rotation, function, role, key and network.

use super::attempts::is_of;
use super::json_search::{find_number, find_string, mentions};
use super::kept_parameters::parameters;
use super::policy_change::policy;
use super::trail_event::TrailEvent;
use crate::model::{Change, Concern, FunctionArn, Refusal, RoleArn, SecretRef, SetAside, Window};

/// PostgreSQL, MySQL, SQL Server, Oracle, MongoDB, Redis, Redshift, Db2, Cassandra, LDAP, OpenSearch, InfluxDB.
const DATABASE_PORTS: [u64; 16] =
    [5432, 3306, 1433, 1521, 2484, 27_017, 6379, 5439, 50_000, 50_001, 9042, 389, 636, 443, 9200, 8086];

/// The resources whose changes are looked for.
#[derive(Debug, Clone)]
pub(super) struct Watched {
    pub(super) secret: SecretRef,
    pub(super) function: Option<FunctionArn>,
    pub(super) role: Option<RoleArn>,
    pub(super) layers: Vec<String>,
    /// The ARNs of managed policies attached to the role, now or in the events.
    pub(super) policies: Vec<String>,
    /// Keys by id, ARN or alias.
    pub(super) keys: Vec<String>,
    /// Security groups, subnets and VPC of the function; empty when it is in none.
    pub(super) network: Vec<String>,
    /// The time right before rotation went wrong, when a change nearby is worth telling even of a group not known here.
    pub(super) before_trouble: Option<Window>,
    /// From the last success to the trouble, when a rule for a database's port counts by its address range alone.
    pub(super) suspicion: Option<Window>,
}

/// What an event says about the watched resources.
enum Concerns<'e> {
    /// It changed this one.
    Watched(Concern, &'e str),
    /// It may have, and does not count.
    Doubtful(&'e str, &'static str),
    Nothing,
}

impl Watched {
    /// The event as a change, where it took effect and concerns a watched resource.
    pub(super) fn change(&self, event: &TrailEvent) -> Option<Change> {
        if event.error_code.is_some()
            || self.is_rotations_own(event)
            || event.name.starts_with("Rotation")
            || event.name.starts_with("TestRotation")
        {
            return None;
        }
        let Concerns::Watched(concerns, resource) = self.concern(event) else { return None };
        Some(Change {
            at: event.at,
            actor: event.actor.clone(),
            tool: event.tool.clone(),
            event: event.name.clone(),
            resource: resource.to_owned(),
            concerns,
            parameters: parameters(&event.request, &event.response),
            policy: policy(event),
        })
    }

    /// The event as a change that was found and does not count, with why not.
    pub(super) fn set_aside(&self, event: &TrailEvent) -> Option<SetAside> {
        if self.is_rotations_own(event) {
            return None;
        }
        let is_refused = event.error_code.is_some() && event.name != "RotateSecret";
        let (resource, because) = match (self.concern(event), is_refused) {
            (Concerns::Watched(_, resource), true) if !event.name.starts_with("Rotation") => {
                (resource, "it was refused, so nothing changed")
            }
            (Concerns::Doubtful(resource, because), false) if event.error_code.is_none() => (resource, because),
            _ => return None,
        };
        Some(SetAside {
            at: event.at,
            actor: event.actor.clone(),
            event: event.name.clone(),
            resource: resource.to_owned(),
            because: because.to_owned(),
        })
    }

    /// The event as a refused attempt to rotate this secret by somebody other than the rotation itself.
    pub(super) fn refusal(&self, event: &TrailEvent) -> Option<Refusal> {
        let code = event.error_code.as_deref().filter(|code| code.contains("AccessDenied") || code.contains("Unauthorized"))?;
        let is_own = matches!(self.concern(event), Concerns::Watched(Concern::Secret, _));
        if event.name != "RotateSecret" || self.is_rotations_own(event) || !is_own {
            return None;
        }
        Some(Refusal {
            at: event.at,
            actor: event.actor.clone(),
            action: format!("secretsmanager:{}", event.name),
            message: event.error_message.clone().unwrap_or_else(|| code.to_owned()),
        })
    }

    /// The policies that events attach to the role or detach from it: their versions concern it too.
    pub(super) fn learn_policies<'a>(&mut self, events: impl IntoIterator<Item = &'a TrailEvent>) {
        for event in events {
            if let (true, Some(policy)) = (self.is_role(event), event.parameter("policyArn"))
                && !self.policies.iter().any(|known| known == policy)
            {
                self.policies.push(policy.to_owned());
            }
        }
    }

    /// Secrets Manager and the function write to the secret with every rotation: that is no change of configuration.
    fn is_rotations_own(&self, event: &TrailEvent) -> bool {
        if event.source != "secretsmanager.amazonaws.com" {
            return false;
        }
        let by_service = event.invoked_by.as_deref() == Some("secretsmanager.amazonaws.com");
        // A Lambda function's session carries the function's name.
        let session = self.function.as_ref().is_some_and(|function| event.session.as_deref() == Some(function.name()));
        let issuer = self.role.as_ref().is_some_and(|role| event.issuer_arn.as_deref() == Some(role.arn().as_str()));
        by_service || (session && event.issuer_arn.is_some()) || issuer
    }

    fn is_role(&self, event: &TrailEvent) -> bool {
        self.role.as_ref().is_some_and(|role| event.parameter("roleName") == Some(role.name()))
    }

    fn concern<'e>(&self, event: &'e TrailEvent) -> Concerns<'e> {
        if event.source == "ec2.amazonaws.com" {
            return self.network_resource(event);
        }
        match self.resource(event) {
            Some((concern, resource)) => Concerns::Watched(concern, resource),
            None => Concerns::Nothing,
        }
    }

    fn resource<'e>(&self, event: &'e TrailEvent) -> Option<(Concern, &'e str)> {
        match event.source.split('.').next().unwrap_or_default() {
            "secretsmanager" => {
                let secret = event.parameter("secretId").or(event.rotated_secret.as_deref())?;
                is_of(secret, &self.secret).then_some((Concern::Secret, secret))
            }
            "lambda" => {
                if let Some(layer) = event.parameter("layerName") {
                    let is_used =
                        self.layers.iter().any(|arn| arn.split(':').nth(6) == Some(layer.rsplit(':').next().unwrap_or(layer)));
                    return is_used.then_some((Concern::Function, layer));
                }
                let name = event.parameter("functionName")?;
                self.is_function(name).then_some((Concern::Function, name))
            }
            "iam" if self.is_role(event) => Some((Concern::Role, event.parameter("roleName")?)),
            "iam" => {
                let policy = event.parameter("policyArn")?;
                self.policies.iter().any(|known| known == policy).then_some((Concern::Role, policy))
            }
            "kms" => {
                let named = event.parameter("keyId").into_iter().chain(event.resources.iter().map(String::as_str));
                named.into_iter().find(|key| self.is_key(key)).map(|key| (Concern::Key, key))
            }
            "rds" => {
                let names = ["dBInstanceIdentifier", "dBClusterIdentifier", "dBParameterGroupName"];
                names.into_iter().find_map(|name| event.parameter(name)).map(|resource| (Concern::Database, resource))
            }
            "organizations" => event
                .parameter("policyId")
                .or_else(|| event.parameter("targetId"))
                .map(|resource| (Concern::Organization, resource)),
            _ => None,
        }
    }

    /// Lambda takes a name, a partial ARN (`account:function:name`) and a full ARN, each with or without a qualifier.
    fn is_function(&self, text: &str) -> bool {
        let Some(function) = &self.function else { return false };
        if text.starts_with("arn:") {
            return super::text::function_arn(text).is_some_and(|other| other.is_same_function(function));
        }
        let name = match text.split_once("function:") {
            Some((_, rest)) => rest,
            None => text,
        };
        name.split(':').next() == Some(function.name())
    }

    fn is_key(&self, key: &str) -> bool {
        let id = |text: &str| text.rsplit([':', '/']).next().unwrap_or_default().to_owned();
        self.keys.iter().any(|known| known == key || (!id(known).is_empty() && id(known) == id(key)))
    }

    /// Security groups are the function's, name one of its, or may be the database's, which nobody told us: then the time
    /// must speak for it, or a rule by address range for a database's port. Other parts of a network do not tell whose they
    /// are.
    fn network_resource<'e>(&self, event: &'e TrailEvent) -> Concerns<'e> {
        let is_mentioned = || self.network.iter().any(|own| mentions(&event.request, own) || mentions(&event.response, own));
        if let Some(group) = event.parameter("groupId").or_else(|| find_string(&event.request, "GroupId")) {
            let is_within = |window: Option<Window>| window.is_some_and(|window| window.contains(event.at));
            let by_range = is_within(self.suspicion) && admits_a_range_to_a_database(event);
            return match is_mentioned() || is_within(self.before_trouble) || by_range {
                true => Concerns::Watched(Concern::Network, group),
                false => Concerns::Doubtful(
                    group,
                    "it is neither the function's group nor a rule by address range for a \
                                                    database",
                ),
            };
        }
        let resource = ["natGatewayId", "vpcEndpointId", "routeTableId", "networkAclId"]
            .into_iter()
            .find_map(|name| event.parameter(name))
            .or_else(|| find_string(&event.request, "VpcEndpointId"));
        let named = || event.parameter("subnetId").or(Some(event.name.as_str())).filter(|_| is_mentioned());
        match resource.or_else(named) {
            Some(resource) if self.network.is_empty() => Concerns::Doubtful(resource, "the function is in no VPC"),
            Some(resource) => Concerns::Watched(Concern::Network, resource),
            None => Concerns::Nothing,
        }
    }
}

/// True for a rule that names addresses, not groups, and a port that a database may listen on, or all ports. What a request
/// names by the rule's id alone, the answer tells.
fn admits_a_range_to_a_database(event: &TrailEvent) -> bool {
    [&event.request, &event.response].into_iter().any(|rule| {
        let ranges = ["cidrIp", "cidrIpv4", "cidrIpv6", "prefixListId"];
        let by_range = ranges.iter().any(|name| find_string(rule, name).is_some());
        let (from, to) = (find_number(rule, "fromPort"), find_number(rule, "toPort"));
        // Without ports, or with -1, a rule is for all of them.
        let ports = match from {
            Some(from) if from >= 0 => from.unsigned_abs()..=to.unwrap_or(from).unsigned_abs(),
            _ => 0..=u64::from(u16::MAX),
        };
        by_range && DATABASE_PORTS.iter().any(|port| ports.contains(port))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Arn;
    use crate::playbook::policy_change::link_policies;
    use serde_json::{Value, json};

    fn watched() -> Watched {
        Watched {
            secret: "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/db-AbCdEf".parse().unwrap(),
            function: super::super::text::function_arn("arn:aws:lambda:eu-west-1:123456789012:function:rotator:live"),
            role: Some(
                RoleArn::try_from(Arn::parse("arn:aws:iam::123456789012:role/service-role/rotator-role").unwrap()).unwrap(),
            ),
            layers: vec!["arn:aws:lambda:eu-west-1:123456789012:layer:psycopg:3".to_owned()],
            policies: vec![],
            keys: vec!["1234abcd-12ab-34cd-56ef-1234567890ab".to_owned(), "alias/db".to_owned()],
            network: vec!["vpc-1".to_owned(), "sg-1".to_owned()],
            before_trouble: None,
            suspicion: None,
        }
    }

    fn event(source: &str, name: &str, request: Value) -> TrailEvent {
        let text = json!({"eventName": name, "eventTime": "2026-01-01T00:00:00Z", "eventSource": format!("{source}.amazonaws.com"),
            "userIdentity": {"arn": "arn:aws:sts::123456789012:assumed-role/admin/carol"}, "requestParameters": request});
        TrailEvent::parse(&text.to_string()).unwrap()
    }

    #[test]
    fn changes_are_recognised_in_every_form_a_request_may_name_them() {
        let key = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab";
        for (source, name, request, expected) in [
            ("secretsmanager", "PutResourcePolicy", json!({"secretId": "prod/db"}), Some(Concern::Secret)),
            ("secretsmanager", "PutResourcePolicy", json!({"secretId": "prod/other"}), None),
            ("lambda", "UpdateFunctionCode20150331v2", json!({"functionName": "rotator"}), Some(Concern::Function)),
            (
                "lambda",
                "UpdateFunctionCode20150331v2",
                json!({"functionName": "arn:aws:lambda:eu-west-1:123456789012:function:rotator"}),
                Some(Concern::Function),
            ),
            (
                "lambda",
                "RemovePermission20150331v2",
                json!({"functionName": "123456789012:function:rotator:live"}),
                Some(Concern::Function),
            ),
            ("lambda", "UpdateFunctionCode20150331v2", json!({"functionName": "rotator2"}), None),
            ("lambda", "PublishLayerVersion20181031", json!({"layerName": "psycopg"}), Some(Concern::Function)),
            ("iam", "DetachRolePolicy", json!({"roleName": "rotator-role", "policyArn": "p"}), Some(Concern::Role)),
            ("iam", "DetachRolePolicy", json!({"roleName": "other", "policyArn": "p"}), None),
            ("kms", "DisableKey", json!({"keyId": key}), Some(Concern::Key)),
            ("kms", "DisableKey", json!({"keyId": "ffff"}), None),
            ("ec2", "RevokeSecurityGroupEgress", json!({"groupId": "sg-1"}), Some(Concern::Network)),
            (
                "ec2",
                "RevokeSecurityGroupIngress",
                json!({"groupId": "sg-db", "ipPermissions": {"items": [{"groups": {"items": [{"groupId": "sg-1"}]}}]}}),
                Some(Concern::Network),
            ),
            ("ec2", "RevokeSecurityGroupIngress", json!({"groupId": "sg-9", "cidrIp": "10.0.0.0/8"}), None),
            ("ec2", "DeleteNatGateway", json!({"DeleteNatGatewayRequest": {}, "natGatewayId": "nat-1"}), Some(Concern::Network)),
            (
                "ec2",
                "DeleteVpcEndpoints",
                json!({"DeleteVpcEndpointsRequest": {"VpcEndpointId": {"tag": 1, "content": "vpce-1"}}}),
                Some(Concern::Network),
            ),
            ("rds", "ModifyDBInstance", json!({"dBInstanceIdentifier": "db"}), Some(Concern::Database)),
        ] {
            let change = watched().change(&event(source, name, request.clone()));
            assert_eq!(change.as_ref().map(|change| change.concerns), expected, "{name} {request}");
            assert!(change.is_none_or(|change| change.actor == "admin/carol"));
        }
    }

    #[test]
    fn the_group_of_a_database_concerns_the_network_right_before_the_trouble_only() {
        let revoked =
            event("ec2", "RevokeSecurityGroupIngress", json!({"groupId": "sg-of-the-database", "cidrIp": "10.0.0.0/16"}));
        assert_eq!(watched().change(&revoked), None);
        let near = |network: Vec<String>, minutes: i64| {
            let trouble = revoked.at + jiff::SignedDuration::from_mins(minutes);
            let before_trouble = Some(super::super::events::before(trouble));
            Watched { network, before_trouble, ..watched() }.change(&revoked).map(|change| change.resource)
        };
        assert_eq!(near(vec!["sg-1".to_owned()], 20).as_deref(), Some("sg-of-the-database"));
        assert_eq!(near(Vec::new(), 20).as_deref(), Some("sg-of-the-database"));
        assert_eq!(near(Vec::new(), 24 * 60), None);
    }

    #[test]
    fn a_rule_by_address_range_for_a_databases_port_counts_since_the_last_success_and_others_are_set_aside() {
        let at: jiff::Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let days = jiff::SignedDuration::from_hours(5 * 24);
        let watched = Watched { suspicion: Some(Window { from: at - days, to: at + days }), ..watched() };
        let rule = |ports: Value, range: Value| {
            let mut rule = json!({"ipProtocol": "tcp", "ipRanges": {"items": [range]}});
            rule.as_object_mut().unwrap().extend(ports.as_object().unwrap().clone());
            event("ec2", "RevokeSecurityGroupIngress", json!({"groupId": "sg-db", "ipPermissions": {"items": [rule]}}))
        };
        let range = json!({"cidrIp": "10.0.0.0/16"});
        let port = |port: i64| json!({"fromPort": port, "toPort": port});
        for counts in [
            rule(port(5432), range.clone()),
            rule(port(-1), range.clone()),
            rule(json!({"fromPort": 0, "toPort": 65535}), range.clone()),
        ] {
            assert_eq!(watched.change(&counts).map(|change| change.concerns), Some(Concern::Network), "{:?}", counts.request);
            assert_eq!(watched.set_aside(&counts), None);
        }
        for aside in [rule(port(22), range), rule(port(5432), json!({}))] {
            assert_eq!(watched.change(&aside), None, "{:?}", aside.request);
            let aside = watched.set_aside(&aside).unwrap();
            assert_eq!((aside.resource.as_str(), aside.actor.as_str()), ("sg-db", "admin/carol"));
        }
        // By the rule's id alone: the answer tells what it was.
        let mut by_id = event(
            "ec2",
            "RevokeSecurityGroupIngress",
            json!({"groupId": "sg-db", "securityGroupRuleIds": {"items": [{"securityGroupRuleId": "sgr-1"}]}}),
        );
        assert_eq!(watched.change(&by_id), None);
        by_id.response =
            json!({"revokedSecurityGroupRuleSet": {"items": [{"cidrIpv4": "10.0.0.0/16", "fromPort": 3306, "toPort": 3306}]}});
        assert!(watched.change(&by_id).is_some());
    }

    #[test]
    fn a_policy_document_is_kept_with_the_one_before_it() {
        let text = |action: &str| format!(r#"{{"Statement":[{{"Effect":"Allow","Action":"{action}","Resource":"*"}}]}}"#);
        let put = |document: String| {
            let request = json!({"roleName": "rotator-role", "policyName": "rotation", "policyDocument": document});
            watched().change(&event("iam", "PutRolePolicy", request)).unwrap()
        };
        let encoded = percent_encoding::utf8_percent_encode(&text("b:*"), percent_encoding::NON_ALPHANUMERIC).to_string();
        let other = watched().change(&event(
            "iam",
            "PutRolePolicy",
            json!({"roleName": "rotator-role", "policyName": "else", "policyDocument": text("c:*")}),
        ));
        let deleted =
            watched().change(&event("iam", "DeleteRolePolicy", json!({"roleName": "rotator-role", "policyName": "rotation"})));
        let mut changes = vec![put(text("a:*")), other.unwrap(), put(encoded), deleted.unwrap()];
        link_policies(&mut changes);
        let action = |document: &Option<Value>| document.as_ref().map(|document| document["Statement"][0]["Action"].clone());
        let pairs: Vec<_> = changes
            .iter()
            .filter_map(|change| change.policy.as_ref())
            .map(|policy| (action(&policy.before), action(&policy.after)))
            .collect();
        assert_eq!(
            pairs,
            [
                (None, Some(json!("a:*"))),
                (None, Some(json!("c:*"))),
                (Some(json!("a:*")), Some(json!("b:*"))),
                (Some(json!("b:*")), None)
            ]
        );
    }

    #[test]
    fn refused_changes_and_the_rotations_own_writes_are_no_changes() {
        let mut refused = event("iam", "DetachRolePolicy", json!({"roleName": "rotator-role", "policyArn": "p"}));
        refused.error_code = Some("AccessDenied".to_owned());
        assert_eq!(watched().change(&refused), None);
        assert_eq!(
            watched().set_aside(&refused).map(|aside| aside.because),
            Some("it was refused, so nothing changed".to_owned())
        );
        let mut own = event("secretsmanager", "PutSecretValue", json!({"secretId": "prod/db"}));
        own.issuer_arn = Some("arn:aws:iam::123456789012:role/service-role/rotator-role".to_owned());
        assert_eq!(watched().change(&own), None);
        own.error_code = Some("AccessDenied".to_owned());
        assert_eq!(watched().set_aside(&own), None, "that it was refused is its log's to tell");
        let mut service = event("secretsmanager", "UpdateSecretVersionStage", json!({"secretId": "prod/db"}));
        service.invoked_by = Some("secretsmanager.amazonaws.com".to_owned());
        assert_eq!(watched().change(&service), None);
    }

    #[test]
    fn a_policys_new_version_concerns_the_role_once_an_event_ties_them() {
        let new_version = event("iam", "CreatePolicyVersion", json!({"policyArn": "arn:aws:iam::123456789012:policy/rotation"}));
        let mut watched = watched();
        assert_eq!(watched.change(&new_version), None);
        let detached = event(
            "iam",
            "DetachRolePolicy",
            json!({"roleName": "rotator-role", "policyArn": "arn:aws:iam::123456789012:policy/rotation"}),
        );
        watched.learn_policies([&detached]);
        assert_eq!(watched.change(&new_version).map(|change| change.concerns), Some(Concern::Role));
    }
}
