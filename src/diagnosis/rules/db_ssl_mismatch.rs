//! # The function and the database disagree about TLS
//!
//! The server demands TLS and the client does not use it, or the other way round, or the handshake breaks.
//!
//! **Shows as** `SSL/TLS is enforced on the host`, `no encryption`, `requires TLS connections`, DPY-6005, in setSecret or
//! testSecret.
//!
//! **Is not it** when the same invocation established a TLS connection.

use crate::diagnosis::remedy::rotate_now;
use crate::diagnosis::{Case, Rule, Stage, Verdict};
use crate::model::{Cause, Remediation};

const CAUSE: Cause = Cause::DbSslMismatch;

pub(super) const RULE: Rule = Rule { cause: CAUSE, stage: Stage::Step, evaluate };

fn evaluate(case: &Case<'_>) -> Verdict {
    let Some(seen) = case.seen(CAUSE) else { return case.not_in_logs() };
    let explanation =
        format!("The TLS settings of the function and the database do not fit: the connection was refused{}.", seen.in_step());
    let remediation = Remediation::new(
        "Set \"ssl\": true (or false) in the secret's JSON to what the server requires. A function created before \
         20 December 2021 cannot do TLS: recreate it from the current template.",
    )
    .run(rotate_now(case))
    .needs("secretsmanager:PutSecretValue")
    .needs("secretsmanager:RotateSecret")
    .link("https://docs.aws.amazon.com/secretsmanager/latest/userguide/troubleshoot_rotation.html");
    case.finding(CAUSE, seen.confidence(case), explanation, seen.proofs(case), remediation).into()
}
