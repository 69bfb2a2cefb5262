//! Policies, requests and contexts whose words are few, so that they often meet.

use proptest::{
    prelude::*,
    sample::{select, subsequence},
};
use rotation_diag::diagnosis::iam::{Context, Policy};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

pub(crate) const ROLE: &str = "arn:aws:iam::111122223333:role/rotator";
const OTHER_ROLE: &str = "arn:aws:iam::111122223333:role/reader";
const ACCOUNT: &str = "arn:aws:iam::111122223333:root";
pub(crate) const SERVICE: &str = "secretsmanager.amazonaws.com";

const ACTIONS: [&str; 3] = ["secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue", "kms:Decrypt"];
const RESOURCES: [&str; 4] = [
    "arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/db-AbCdEf",
    "arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/db-replica-GhIjKl",
    "arn:aws:secretsmanager:us-east-1:444455556666:secret:prod/db-AbCdEf",
    "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
];

/// The context of a request: every key that a generated policy may ask for, `None` where absent.
pub(crate) type Keys = BTreeMap<&'static str, Option<Held>>;

/// A key's value, in the types `iam-rs` tells apart.
#[derive(Debug, Clone)]
pub(crate) enum Held {
    One(&'static str),
    Many(Vec<&'static str>),
    Number(i32),
    Bool(bool),
}

/// A key, the operators that suit it, and values to be compared with.
struct Vocabulary {
    key: &'static str,
    operators: &'static [&'static str],
    values: &'static [&'static str],
    /// Values of the key in a request; for a multivalued key, its members.
    held: &'static [&'static str],
    kind: HeldAs,
}

enum HeldAs {
    One,
    Many,
    Number,
    Bool,
}

const VOCABULARIES: [Vocabulary; 9] = [
    Vocabulary {
        key: "aws:RequestTag/Env",
        operators: &[
            "StringEquals",
            "StringNotEquals",
            "StringEqualsIgnoreCase",
            "StringNotEqualsIgnoreCase",
            "StringLike",
            "StringNotLike",
            "StringEqualsIfExists",
            "StringNotEqualsIfExists",
            "StringEqualsIgnoreCaseIfExists",
            "StringNotEqualsIgnoreCaseIfExists",
            "StringLikeIfExists",
            "StringNotLikeIfExists",
            "ForAllValues:StringEquals",
            "ForAnyValue:StringLike",
        ],
        values: &["prod", "Prod", "dev", "p*", "*d*", "pr?d", "????", "*"],
        held: &["prod", "PROD", "dev", "stage"],
        kind: HeldAs::One,
    },
    Vocabulary {
        key: "aws:TagKeys",
        operators: &[
            "ForAllValues:StringEquals",
            "ForAllValues:StringNotEquals",
            "ForAllValues:StringEqualsIgnoreCase",
            "ForAllValues:StringNotEqualsIgnoreCase",
            "ForAllValues:StringLike",
            "ForAllValues:StringNotLike",
            "ForAnyValue:StringEquals",
            "ForAnyValue:StringNotEquals",
            "ForAnyValue:StringEqualsIgnoreCase",
            "ForAnyValue:StringNotEqualsIgnoreCase",
            "ForAnyValue:StringLike",
            "ForAnyValue:StringNotLike",
        ],
        values: &["team", "TEAM", "cost", "t*", "?o*", "owner"],
        held: &["team", "cost", "Team", "owner", "tier"],
        kind: HeldAs::Many,
    },
    Vocabulary {
        key: "aws:SourceArn",
        operators: &[
            "ArnLike",
            "ArnNotLike",
            "ArnLikeIfExists",
            "ArnNotLikeIfExists",
            "ForAllValues:ArnLike",
            "ForAnyValue:ArnNotLike",
        ],
        values: &["arn:aws:s3:::logs", "arn:aws:s3:::lo*", "arn:*:s3:*:*:l?gs", "arn:aws:sns:*:111122223333:*"],
        held: &["arn:aws:s3:::logs", "arn:aws:s3:::lags", "arn:aws:sns:eu-west-1:111122223333:alarms"],
        kind: HeldAs::One,
    },
    Vocabulary {
        key: "lambda:SourceFunctionArn",
        operators: &[
            "ArnEquals",
            "ArnNotEquals",
            "ArnEqualsIfExists",
            "ArnNotEqualsIfExists",
            "ForAllValues:ArnEquals",
            "ForAnyValue:ArnNotEquals",
        ],
        values: &["arn:aws:lambda:eu-west-1:111122223333:function:a", "arn:aws:lambda:eu-west-1:111122223333:function:b"],
        held: &["arn:aws:lambda:eu-west-1:111122223333:function:a", "arn:aws:lambda:eu-west-1:111122223333:function:c"],
        kind: HeldAs::One,
    },
    Vocabulary {
        key: "secretsmanager:RecoveryWindowInDays",
        operators: &[
            "NumericEquals",
            "NumericNotEquals",
            "NumericLessThan",
            "NumericLessThanEquals",
            "NumericGreaterThan",
            "NumericGreaterThanEquals",
            "NumericEqualsIfExists",
            "NumericNotEqualsIfExists",
            "NumericLessThanIfExists",
            "NumericGreaterThanEqualsIfExists",
        ],
        values: &["7", "10", "10.0", "30", "7.5"],
        held: &["7", "8", "10", "30"],
        kind: HeldAs::Number,
    },
    Vocabulary {
        key: "aws:CurrentTime",
        operators: &[
            "DateEquals",
            "DateNotEquals",
            "DateLessThan",
            "DateLessThanEquals",
            "DateGreaterThan",
            "DateGreaterThanEquals",
            "DateEqualsIfExists",
            "DateNotEqualsIfExists",
            "DateLessThanIfExists",
            "DateGreaterThanEqualsIfExists",
        ],
        values: &["2026-11-22T12:00:00Z", "2026-11-22T13:00:00+01:00", "2026-11-23T00:00:00Z", "1795348800"],
        held: &["2026-11-22T12:00:00Z", "2026-11-22T11:59:59.5Z", "1795348801"],
        kind: HeldAs::One,
    },
    Vocabulary {
        key: "aws:SourceIp",
        operators: &["IpAddress", "NotIpAddress", "IpAddressIfExists", "NotIpAddressIfExists"],
        values: &["203.0.113.0/24", "203.0.113.7", "203.0.113.99/25", "10.0.0.0/8", "2001:db8::/32", "0.0.0.0/0"],
        held: &["203.0.113.7", "203.0.113.200", "10.9.8.7", "2001:db8::1"],
        kind: HeldAs::One,
    },
    Vocabulary {
        key: "aws:SecureTransport",
        operators: &["Bool", "BoolIfExists", "ForAllValues:Bool", "ForAnyValue:Bool"],
        values: &["true", "false"],
        held: &["true", "false"],
        kind: HeldAs::Bool,
    },
    Vocabulary {
        key: "example:Blob",
        operators: &["BinaryEquals", "BinaryEqualsIfExists"],
        values: &["QmluYXJ5", "ZGF0YQ=="],
        held: &["QmluYXJ5", "bW9yZQ=="],
        kind: HeldAs::One,
    },
];

impl Vocabulary {
    fn condition(&'static self) -> impl Strategy<Value = (String, String, Value)> {
        let value = match self.kind {
            HeldAs::Bool => select(self.values).prop_map(|text| json!(text == "true")).boxed(),
            _ => prop_oneof![
                select(self.values).prop_map(|text| json!(text)),
                subsequence(self.values, 1..=self.values.len().min(3)).prop_map(|texts| json!(texts)),
            ]
            .boxed(),
        };
        let compared = (select(self.operators), value).prop_map(|(operator, value)| (operator.to_owned(), value));
        let null = any::<bool>().prop_map(|absent| ("Null".to_owned(), json!(absent.to_string())));
        // Keys are compared without regard to case.
        let key = prop_oneof![Just(self.key.to_owned()), Just(self.key.to_uppercase())];
        (key, prop_oneof![8 => compared, 1 => null]).prop_map(|(key, (operator, value))| (operator, key, value))
    }

    fn held(&'static self) -> BoxedStrategy<Option<Held>> {
        let one = select(self.held);
        let held = match self.kind {
            HeldAs::One => one.prop_map(Held::One).boxed(),
            HeldAs::Number => one.prop_map(|text| Held::Number(text.parse().unwrap())).boxed(),
            HeldAs::Bool => one.prop_map(|text| Held::Bool(text == "true")).boxed(),
            HeldAs::Many => subsequence(self.held, 1..=3).prop_map(Held::Many).boxed(),
        };
        prop_oneof![1 => Just(None), 3 => held.prop_map(Some)].boxed()
    }
}

fn keys() -> impl Strategy<Value = Keys> {
    let conditions: Vec<_> = VOCABULARIES.iter().map(|vocabulary| (Just(vocabulary.key), vocabulary.held())).collect();
    // Known to both evaluators, or absent and always used with a default.
    let variables = prop::option::of(select(&["db", "prod"][..]));
    (conditions, variables).prop_map(|(keys, team)| {
        let mut keys: Keys = keys.into_iter().collect();
        keys.insert("aws:PrincipalTag/team", team.map(Held::One));
        keys
    })
}

/// `text`, with a part replaced by wildcards: often still a match, often just not.
fn wildcarded(text: &'static str) -> impl Strategy<Value = String> {
    let characters: Vec<char> = text.chars().collect();
    (0..=characters.len(), 0..=characters.len(), 0..4_u8).prop_map(move |(a, b, form)| {
        let (from, to) = (a.min(b), a.max(b));
        let head: String = characters.iter().take(from).collect();
        let tail: String = characters.iter().skip(to).collect();
        match form {
            0 => characters.iter().collect(),
            1 => format!("{head}*{tail}"),
            2 => format!("{head}{}{tail}", "?".repeat(to - from)),
            _ => format!("{head}*"),
        }
    })
}

fn action() -> impl Strategy<Value = String> {
    prop_oneof![
        1 => Just("*".to_owned()),
        1 => Just("SECRETSMANAGER:*".to_owned()),
        6 => select(&ACTIONS[..]).prop_flat_map(wildcarded),
    ]
}

fn resource() -> impl Strategy<Value = String> {
    let pattern = select(&RESOURCES[..]).prop_flat_map(|arn| {
        let parts: Vec<&'static str> = arn.splitn(6, ':').collect();
        let [_, partition, service, region, account, name] = parts[..] else {
            panic!("{arn} has six parts");
        };
        let part = |text: &'static str| prop_oneof![4 => Just(text), 1 => Just("*")];
        (part(partition), part(region), part(account), wildcarded(name))
            .prop_map(move |(partition, region, account, name)| format!("arn:{partition}:{service}:{region}:{account}:{name}"))
    });
    prop_oneof![
        2 => Just("*".to_owned()),
        1 => Just(
            "arn:aws:secretsmanager:*:*:secret:${aws:PrincipalTag/team, 'prod'}/db*".to_owned()
        ),
        8 => pattern,
    ]
}

fn one_or_many(item: impl Strategy<Value = String>) -> impl Strategy<Value = Value> {
    prop::collection::vec(item, 1..3).prop_map(|items| match items.as_slice() {
        [one] => json!(one),
        many => json!(many),
    })
}

fn condition() -> impl Strategy<Value = Value> {
    let one = select((0..VOCABULARIES.len()).collect::<Vec<_>>()).prop_flat_map(|index| VOCABULARIES[index].condition());
    prop::collection::vec(one, 0..=2).prop_map(|conditions| {
        let mut element = Map::new();
        for (operator, key, value) in conditions {
            element.entry(operator).or_insert_with(|| json!({})).as_object_mut().unwrap().insert(key, value);
        }
        Value::Object(element)
    })
}

fn principal() -> impl Strategy<Value = (&'static str, Value)> {
    prop_oneof![
        select(vec![
            json!("*"),
            json!({"AWS": ROLE}),
            json!({"AWS": OTHER_ROLE}),
            json!({"AWS": [OTHER_ROLE, ROLE]}),
            json!({"Service": SERVICE}),
            json!({"Service": ["rds.amazonaws.com", SERVICE]}),
        ])
        .prop_map(|value| ("Principal", value)),
        select(vec![json!({"AWS": [ROLE, ACCOUNT]}), json!({"AWS": OTHER_ROLE}), json!({"Service": SERVICE}),])
            .prop_map(|value| ("NotPrincipal", value)),
    ]
}

pub(crate) fn statement(with_principal: bool) -> impl Strategy<Value = Value> {
    let negated = || prop_oneof![4 => Just(false), 1 => Just(true)];
    (
        prop_oneof![2 => Just("Allow"), 1 => Just("Deny")],
        (negated(), one_or_many(action())),
        (negated(), one_or_many(resource())),
        condition(),
        principal(),
    )
        .prop_map(move |(effect, (not_action, action), (not_resource, resource), condition, principal)| {
            let mut statement = Map::new();
            statement.insert("Effect".to_owned(), json!(effect));
            let action_element = if not_action { "NotAction" } else { "Action" };
            statement.insert(action_element.to_owned(), action);
            let resource_element = if not_resource { "NotResource" } else { "Resource" };
            statement.insert(resource_element.to_owned(), resource);
            if condition.as_object().is_some_and(|element| !element.is_empty()) {
                statement.insert("Condition".to_owned(), condition);
            }
            if with_principal {
                statement.insert(principal.0.to_owned(), principal.1);
            }
            Value::Object(statement)
        })
}

pub(crate) fn document(with_principal: bool) -> impl Strategy<Value = Value> {
    // Most statements with a principal name somebody else, so there are more of them.
    let most = if with_principal { 8 } else { 4 };
    prop::collection::vec(statement(with_principal), 1..most)
        .prop_map(|statements| json!({"Version": "2012-10-17", "Statement": statements}))
}

pub(crate) fn call() -> impl Strategy<Value = (&'static str, &'static str, Keys)> {
    (select(&ACTIONS[..]), select(&RESOURCES[..]), keys())
}

pub(crate) fn parsed(documents: &[Value]) -> Vec<Policy> {
    documents.iter().enumerate().map(|(index, document)| Policy::from_value(&index.to_string(), document).unwrap()).collect()
}

/// The keys as our evaluator takes them, but for those that are hidden from it.
pub(crate) fn context(keys: &Keys, hidden: &BTreeSet<&'static str>) -> Context {
    let shown = keys.iter().filter(|(key, _)| !hidden.contains(*key));
    shown.fold(Context::new(), |context, (key, held)| match held {
        None => context.absent(key),
        Some(Held::One(text)) => context.known(key, *text),
        Some(Held::Many(texts)) => context.known_values(key, texts.iter().map(|text| (*text).to_owned())),
        Some(Held::Number(number)) => context.known(key, number.to_string()),
        Some(Held::Bool(value)) => context.known(key, value.to_string()),
    })
}

pub(crate) fn hidden_keys() -> impl Strategy<Value = BTreeSet<&'static str>> {
    let all: Vec<_> = VOCABULARIES.iter().map(|vocabulary| vocabulary.key).chain(["aws:PrincipalTag/team"]).collect();
    let count = all.len();
    subsequence(all, 1..=count).prop_map(|keys| keys.into_iter().collect())
}
