//! ARNs and references to secrets: what was read says what was written.

use crate::{found, mutation::mutated};
use proptest::prelude::*;
use rotation_diag::model::{Arn, FunctionArn, RoleArn, SecretArn, SecretRef};

fn seeds() -> Vec<String> {
    let arns = [
        "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/orders-db-AbCdEf",
        "arn:aws-cn:secretsmanager:cn-north-1:123456789012:secret:a-b-c-123456",
        "arn:aws:lambda:eu-west-1:123456789012:function:orders-rotator:live",
        "arn:aws:iam::123456789012:role/service-role/orders-rotator-role",
        "arn:aws:sns:eu-west-1:123456789012:topic",
        "prod/orders-db",
    ];
    arns.map(str::to_owned).into_iter().chain(found("arns")).collect()
}

proptest! {
    #[test]
    fn an_arn_that_is_read_has_all_its_parts_and_is_shown_as_written(text in mutated(seeds())) {
        let Ok(arn) = Arn::parse(&text) else { return Ok(()) };
        let parts = ["arn", arn.partition(), arn.service(), arn.region(), arn.account_id(), arn.resource()];
        prop_assert_eq!(parts.join(":"), text.clone());
        prop_assert_eq!(arn.as_str(), text.as_str());
        prop_assert!(!text.chars().any(|c| c.is_whitespace() || c.is_control()));
        prop_assert!(![arn.partition(), arn.service(), arn.region(), arn.account_id()].iter().any(|part| part.contains(':')));
        if let Ok(secret) = SecretArn::try_from(arn.clone()) {
            prop_assert!(!secret.name().is_empty() && secret.resource_name().starts_with(secret.name()));
        }
        if let Ok(function) = FunctionArn::try_from(arn.clone()) {
            prop_assert!(arn.resource().contains(function.name()));
        }
        if let Ok(role) = RoleArn::try_from(arn.clone()) {
            prop_assert!(!role.name().is_empty() && arn.resource().ends_with(role.name()));
        }
    }

    #[test]
    fn a_reference_that_is_read_is_read_again_as_the_same(text in mutated(seeds())) {
        let Ok(secret) = text.parse::<SecretRef>() else { return Ok(()) };
        prop_assert_eq!(secret.as_str(), text.trim());
        prop_assert_eq!(secret.as_str().parse::<SecretRef>().unwrap(), secret.clone());
        prop_assert!(!secret.name().is_empty());
        // Nothing in it could be taken for an option, a path or a second word by whoever pastes a command.
        prop_assert!(secret.as_str().chars().all(|c| c.is_ascii_graphic()), "{}", secret.as_str());
    }
}
