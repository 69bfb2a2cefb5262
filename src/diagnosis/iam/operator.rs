//! The names of condition operators.
//!
//! Source: IAM User Guide, "IAM JSON policy elements: Condition operators" and "Set operators for
//! multivalued context keys".

/// How the values of a key in the request count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quantifier {
    /// An operator without a set form.
    Single,
    /// `ForAllValues:`
    ForAllValues,
    /// `ForAnyValue:`
    ForAnyValue,
}

/// What a comparison compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OperatorKind {
    Text { wildcards: bool, fold_case: bool },
    Arn,
    Number(Relation),
    Date(Relation),
    Bool,
    Binary,
    Ip,
    Null,
}

/// How the request's value must stand to the policy's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Relation {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Relation {
    pub(super) fn holds<T: PartialOrd>(self, request: &T, policy: &T) -> bool {
        match self {
            Relation::Equal => request == policy,
            Relation::Less => request < policy,
            Relation::LessOrEqual => request <= policy,
            Relation::Greater => request > policy,
            Relation::GreaterOrEqual => request >= policy,
        }
    }
}

/// An operator: `[ForAllValues:|ForAnyValue:]Name[IfExists]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Operator {
    pub(super) quantifier: Quantifier,
    pub(super) kind: OperatorKind,
    /// `StringNotLike` and its like: `kind` is what must *not* hold.
    pub(super) negated: bool,
    pub(super) if_exists: bool,
}

impl Operator {
    /// Names are compared without regard to case.
    pub(super) fn parse(name: &str) -> Option<Operator> {
        let name = name.to_ascii_lowercase();
        let (quantifier, name) = match name.split_once(':') {
            None => (Quantifier::Single, name.as_str()),
            Some(("forallvalues", name)) => (Quantifier::ForAllValues, name),
            Some(("foranyvalue", name)) => (Quantifier::ForAnyValue, name),
            Some(_) => return None,
        };
        let (name, if_exists) = match name.strip_suffix("ifexists") {
            Some(name) => (name, true),
            None => (name, false),
        };
        let (kind, negated) = kind(name)?;
        // `Null` asks for existence itself: it takes neither a set form nor IfExists.
        if kind == OperatorKind::Null && (if_exists || quantifier != Quantifier::Single) {
            return None;
        }
        Some(Operator { quantifier, kind, negated, if_exists })
    }
}

fn kind(name: &str) -> Option<(OperatorKind, bool)> {
    let text = |wildcards, fold_case| OperatorKind::Text { wildcards, fold_case };
    Some(match name {
        "stringequals" => (text(false, false), false),
        "stringnotequals" => (text(false, false), true),
        "stringequalsignorecase" => (text(false, true), false),
        "stringnotequalsignorecase" => (text(false, true), true),
        "stringlike" => (text(true, false), false),
        "stringnotlike" => (text(true, false), true),
        // "ArnEquals and ArnLike behave identically", and so do their negations.
        "arnequals" | "arnlike" => (OperatorKind::Arn, false),
        "arnnotequals" | "arnnotlike" => (OperatorKind::Arn, true),
        "bool" => (OperatorKind::Bool, false),
        "binaryequals" => (OperatorKind::Binary, false),
        "ipaddress" => (OperatorKind::Ip, false),
        "notipaddress" => (OperatorKind::Ip, true),
        "null" => (OperatorKind::Null, false),
        _ => {
            let (of, relation): (fn(Relation) -> OperatorKind, &str) = if let Some(relation) = name.strip_prefix("numeric") {
                (OperatorKind::Number, relation)
            } else {
                (OperatorKind::Date, name.strip_prefix("date")?)
            };
            match relation {
                "equals" => (of(Relation::Equal), false),
                "notequals" => (of(Relation::Equal), true),
                "lessthan" => (of(Relation::Less), false),
                "lessthanequals" => (of(Relation::LessOrEqual), false),
                "greaterthan" => (of(Relation::Greater), false),
                "greaterthanequals" => (of(Relation::GreaterOrEqual), false),
                _ => return None,
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn set_forms_and_if_exists_wrap_every_operator_but_null() {
        assert_eq!(
            Operator::parse("ForAnyValue:StringNotLikeIfExists"),
            Some(Operator {
                quantifier: Quantifier::ForAnyValue,
                kind: OperatorKind::Text { wildcards: true, fold_case: false },
                negated: true,
                if_exists: true,
            })
        );
        assert!(Operator::parse("Null").is_some());
        for name in ["NullIfExists", "ForAllValues:Null", "ForSome:StringLike", "StringMatches", "NumericLike", ""] {
            assert_eq!(Operator::parse(name), None, "{name}");
        }
    }
}
