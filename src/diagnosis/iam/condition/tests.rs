use super::*;
use serde_json::json;

/// What one operator makes of a key that has `values` in the request.
fn holds(operator: &str, policy: Value, values: &[&str]) -> Truth {
    let values = values.iter().map(|value| (*value).to_owned());
    outcome(operator, policy, Context::new().known_values("test:Key", values)).0
}

fn outcome(operator: &str, policy: Value, context: Context) -> (Truth, Vec<String>) {
    let condition = Condition::compile(operator, "TEST:key", &policy, true).unwrap();
    let mut missing = BTreeSet::new();
    let truth = condition.holds(&context, &mut missing);
    (truth, missing.into_iter().collect())
}

fn check(table: &[(&str, Value, &[&str], bool)]) {
    for (operator, policy, values, expected) in table {
        assert_eq!(holds(operator, policy.clone(), values), Truth::from(*expected), "{operator} {policy} with {values:?}");
    }
}

#[test]
fn string_operators() {
    check(&[
        ("StringEquals", json!("a"), &["a"], true),
        ("StringEquals", json!("a"), &["A"], false),
        ("StringEquals", json!(["x", "a"]), &["a"], true),
        ("StringEquals", json!("a*"), &["ab"], false),
        ("StringEquals", json!("a${*}"), &["a*"], true),
        ("StringEquals", json!([]), &["a"], false),
        ("StringNotEquals", json!("a"), &["b"], true),
        ("StringNotEquals", json!(["a", "b"]), &["b"], false),
        ("StringNotEquals", json!(["a", "b"]), &["c"], true),
        ("StringEqualsIgnoreCase", json!("ÄbC"), &["äBc"], true),
        ("StringEqualsIgnoreCase", json!("a"), &["b"], false),
        ("StringNotEqualsIgnoreCase", json!("A"), &["a"], false),
        ("StringNotEqualsIgnoreCase", json!("A"), &["b"], true),
        ("StringLike", json!("a?c*"), &["abcdef"], true),
        ("StringLike", json!("a?c*"), &["ac"], false),
        ("StringLike", json!("A*"), &["abc"], false),
        ("StringNotLike", json!(["a*", "b*"]), &["bcd"], false),
        ("StringNotLike", json!(["a*", "b*"]), &["cde"], true),
    ]);
}

#[test]
fn numeric_operators() {
    check(&[
        ("NumericEquals", json!("10"), &["10.0"], true),
        ("NumericEquals", json!(10), &["10"], true),
        ("NumericEquals", json!([1, 2]), &["2"], true),
        ("NumericEquals", json!(10), &["ten"], false),
        ("NumericNotEquals", json!(10), &["11"], true),
        ("NumericNotEquals", json!([10, 11]), &["11"], false),
        ("NumericNotEquals", json!(10), &["ten"], true),
        ("NumericLessThan", json!(10), &["9.5"], true),
        ("NumericLessThan", json!(10), &["10"], false),
        ("NumericLessThanEquals", json!(10), &["10"], true),
        ("NumericLessThanEquals", json!(10), &["11"], false),
        ("NumericGreaterThan", json!(10), &["10"], false),
        ("NumericGreaterThan", json!("-3"), &["-2"], true),
        ("NumericGreaterThanEquals", json!(10), &["10"], true),
        ("NumericGreaterThanEquals", json!(10), &["9"], false),
    ]);
}

#[test]
fn date_operators() {
    let noon = "2026-11-22T12:00:00Z";
    check(&[
        ("DateEquals", json!("2026-11-22T13:00:00+01:00"), &[noon], true),
        ("DateEquals", json!("2026-11-22T12:00:00"), &[noon], true),
        ("DateEquals", json!("2026-11-22T12:00Z"), &[noon], true),
        ("DateEquals", json!(1_795_348_800), &[noon], true),
        ("DateEquals", json!("2026-11-22"), &[noon], false),
        ("DateEquals", json!("2026-11-22"), &["yesterday"], false),
        ("DateNotEquals", json!("2026-11-22"), &[noon], true),
        ("DateNotEquals", json!("1795348800"), &[noon], false),
        ("DateLessThan", json!("2026-11-23"), &[noon], true),
        ("DateLessThan", json!("2026-11-22T12:00:00Z"), &[noon], false),
        ("DateLessThanEquals", json!("2026-11-22T12:00:00Z"), &[noon], true),
        ("DateGreaterThan", json!("2026-11-22"), &["1795348800"], true),
        ("DateGreaterThan", json!("2026-11-23"), &[noon], false),
        ("DateGreaterThanEquals", json!("2026-11-22T12:00:00.5Z"), &[noon], false),
    ]);
}

#[test]
fn boolean_binary_and_null_operators() {
    check(&[
        ("Bool", json!("true"), &["true"], true),
        ("Bool", json!(true), &["True"], true),
        ("Bool", json!("false"), &["true"], false),
        ("Bool", json!(false), &["false"], true),
        ("BinaryEquals", json!("QmluYXJ5"), &["QmluYXJ5"], true),
        ("BinaryEquals", json!("QQ=="), &["QQ"], true),
        ("BinaryEquals", json!("QQ=="), &["qq=="], false),
        ("Null", json!("true"), &["x"], false),
        ("Null", json!(false), &["x"], true),
        ("Null", json!("true"), &[], true),
        ("Null", json!("false"), &[], false),
    ]);
}

#[test]
fn address_operators() {
    check(&[
        ("IpAddress", json!("203.0.113.0/24"), &["203.0.113.77"], true),
        ("IpAddress", json!("203.0.113.0/24"), &["203.0.114.1"], false),
        ("IpAddress", json!("203.0.113.9/24"), &["203.0.113.1"], true),
        ("IpAddress", json!("203.0.113.5"), &["203.0.113.5"], true),
        ("IpAddress", json!("203.0.113.5"), &["203.0.113.6"], false),
        ("IpAddress", json!("0.0.0.0/0"), &["203.0.113.6"], true),
        ("IpAddress", json!("0.0.0.0/0"), &["2001:db8::1"], false),
        ("IpAddress", json!("::/0"), &["2001:db8::1"], true),
        ("IpAddress", json!("2001:DB8:1234:5678::/64"), &["2001:db8:1234:5678:9::1"], true),
        ("IpAddress", json!(["10.0.0.0/8", "192.168.0.0/16"]), &["192.168.3.4"], true),
        ("IpAddress", json!("10.0.0.0/8"), &["vpce-1"], false),
        ("NotIpAddress", json!("10.0.0.0/8"), &["10.1.2.3"], false),
        ("NotIpAddress", json!("10.0.0.0/8"), &["11.1.2.3"], true),
        ("NotIpAddress", json!(["10.0.0.0/8", "11.0.0.0/8"]), &["11.1.2.3"], false),
    ]);
}

#[test]
fn arn_operators_equals_and_like_are_the_same() {
    let arn = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/db-AbCdEf";
    for (operator, negation) in [("ArnEquals", "ArnNotEquals"), ("ArnLike", "ArnNotLike")] {
        for (pattern, expected) in [
            (arn, true),
            ("arn:aws:secretsmanager:*:111122223333:secret:prod/*", true),
            ("arn:aws:secretsmanager:*:secret:prod/*", false),
            ("arn:aws:lambda:*:111122223333:*", false),
        ] {
            check(&[
                (operator, json!(pattern), &[arn], expected),
                (negation, json!(pattern), &[arn], !expected),
                (negation, json!([pattern, "arn:aws:s3:::x"]), &[arn], !expected),
            ]);
        }
    }
}

#[test]
fn set_operators_over_several_values() {
    check(&[
        ("ForAllValues:StringEquals", json!(["a", "b"]), &["a", "b"], true),
        ("ForAllValues:StringEquals", json!(["a", "b"]), &["a", "c"], false),
        ("ForAllValues:StringEquals", json!(["a"]), &[], true),
        ("ForAllValues:StringEquals", json!(["a"]), &[""], true),
        ("ForAllValues:StringNotEquals", json!(["a", "b"]), &["c", "d"], true),
        ("ForAllValues:StringNotEquals", json!(["a", "b"]), &["c", "a"], false),
        ("ForAnyValue:StringEquals", json!(["a", "b"]), &["c", "b"], true),
        ("ForAnyValue:StringEquals", json!(["a", "b"]), &["c", "d"], false),
        ("ForAnyValue:StringEquals", json!(["a"]), &[], false),
        ("ForAnyValue:StringNotLike", json!(["a*"]), &["ab", "c"], true),
        ("ForAnyValue:StringNotLike", json!(["a*"]), &["ab", "ac"], false),
        ("ForAnyValue:StringNotLike", json!(["a*"]), &[], false),
        ("ForAnyValue:NumericGreaterThan", json!(5), &["1", "9"], true),
        ("ForAllValues:NumericGreaterThan", json!(5), &["1", "9"], false),
        ("ForAnyValue:StringLikeIfExists", json!("a*"), &[], true),
        ("StringLike", json!("a*"), &["b", "ab"], true),
        ("StringNotLike", json!("a*"), &["b", "ab"], false),
    ]);
}

#[test]
fn a_key_that_is_absent_fails_an_operator_passes_its_negation_and_passes_if_exists() {
    for (operator, value, expected) in [
        ("StringEquals", json!("a"), false),
        ("StringNotEquals", json!("a"), true),
        ("StringNotLike", json!("a"), true),
        ("ArnNotLike", json!("arn:aws:s3:::x"), true),
        ("NumericNotEquals", json!(1), true),
        ("NumericLessThan", json!(1), false),
        ("DateNotEquals", json!(1), true),
        ("NotIpAddress", json!("10.0.0.0/8"), true),
        ("IpAddress", json!("10.0.0.0/8"), false),
        ("Bool", json!(false), false),
        ("BinaryEquals", json!("QQ=="), false),
        ("BoolIfExists", json!(false), true),
        ("StringEqualsIfExists", json!("a"), true),
        ("NumericLessThanIfExists", json!(1), true),
        ("IpAddressIfExists", json!("10.0.0.0/8"), true),
        ("ForAnyValue:StringNotEquals", json!("a"), false),
        ("ForAllValues:StringNotEquals", json!("a"), true),
        ("Null", json!(true), true),
        ("Null", json!(false), false),
    ] {
        assert_eq!(outcome(operator, value, Context::new().absent("test:key")), (Truth::from(expected), vec![]), "{operator}");
    }
}

#[test]
fn a_key_nobody_spoke_of_leaves_every_operator_open() {
    for operator in
        ["StringEquals", "StringNotEquals", "StringEqualsIfExists", "ForAllValues:StringEquals", "ForAnyValue:StringEquals"]
    {
        assert_eq!(outcome(operator, json!("a"), Context::new()), (Truth::Unknown, vec!["test:key".to_owned()]), "{operator}");
    }
    assert_eq!(outcome("Null", json!(true), Context::new()).0, Truth::Unknown);
}

#[test]
fn variables_in_values_may_leave_the_answer_open() {
    let context = || Context::new().known("test:key", "team-a");
    let variable = json!("team-${aws:PrincipalTag/team}");
    let missing = vec!["aws:principaltag/team".to_owned()];
    assert_eq!(outcome("StringEquals", variable.clone(), context()), (Truth::Unknown, missing.clone()));
    let tagged = context().known("aws:PrincipalTag/team", "a");
    assert_eq!(outcome("StringEquals", variable.clone(), tagged).0, Truth::True);
    let untagged = || context().absent("aws:PrincipalTag/team");
    assert_eq!(outcome("StringEquals", variable.clone(), untagged()), (Truth::False, vec![]));
    // AWS leaves open what an unresolved variable does to a negated comparison.
    assert_eq!(outcome("StringNotEquals", variable.clone(), untagged()), (Truth::Unknown, missing));
    assert_eq!(outcome("StringEquals", json!([variable, "team-a"]), context()), (Truth::True, vec![]));
    let older = Condition::compile("StringEquals", "test:key", &json!("${a}"), false).unwrap();
    assert_eq!(older.holds(&Context::new().known("test:key", "${a}"), &mut BTreeSet::new()), Truth::True);
}
