//! # Active Directory refused the function's credentials or keytab
//!
//! An Active Directory template could not log in, set the password or make a keytab.
//!
//! **Shows as** `kinit failed`, `Failed to create keytab`, `Unable to reset the user's password in Directory Services`,
//! `directory name list … does not match`.
//!
//! **Is not it** when the line is `Proceed to current secret since pending secret does not authenticate`: a normal
//! line.

use crate::diagnosis::readings::by_log::by_log;
use crate::diagnosis::remedy::{TEMPLATES, aws_in};
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict, change_events};
use crate::model::{Cause, Remediation, StepName};

pub(super) const RULE: Rule = Rule {
    cause: Cause::DirectoryKinitFailed,
    stage: Stage::Step,
    rests_on: &[StepName::RotationConfig, StepName::FunctionLogs, StepName::RotationHistory],
    explained_by: &[change_events::SECURITY_GROUPS, change_events::ROUTES],
    specificity: Specificity::Defect,
    hidden_by_login: false,
    evaluate,
};

/// True for a refused bind in which neither Kerberos nor Active Directory has a part: any LDAP directory answers so.
fn is_plain_bind(text: &str) -> bool {
    const REFUSED: [&str; 3] = ["invalidcredentials", "invalid_credentials", "error code 49"];
    const OF_ACTIVE_DIRECTORY: [&str; 6] = ["kinit", "keytab", "krb", "kdc", "acceptsecuritycontext", "80090308"];
    let text = text.to_ascii_lowercase();
    REFUSED.iter().any(|word| text.contains(word)) && !OF_ACTIVE_DIRECTORY.iter().any(|word| text.contains(word))
}

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    let is_plain = context.seen(RULE.cause).is_some_and(|seen| is_plain_bind(&seen.read.event.text));
    let mut verdict = by_log(context, &RULE, |seen| {
        if is_plain {
            let explanation = format!(
                "The directory refused the bind{}: it does not accept the user or the password of {}.",
                seen.in_step(),
                context.secret_name()
            );
            let remediation = Remediation::new(
                "Bind to the directory by hand with the user and the password in the secret: a wrong password, a wrong distinguished \
                 name and a locked or expired entry are refused alike. Correct what is wrong, and rotate.",
            );
            return (explanation, remediation.rotate(context));
        }
        let explanation = format!("The directory refused the user or the keytab of {}{}.", context.secret_name(), seen.in_step());
        let remediation = Remediation::new(
            "Check in this order: the user and password in the secret, the directory's DNS name as the function's VPC resolves \
             it, port 88 from the function to the directory, and the layer that contains kinit. Then rotate.",
        )
        .run(aws_in(
            context,
            &["ds", "describe-directories", "--query", "DirectoryDescriptions[].{name:Name,stage:Stage,dns:DnsIpAddrs}"],
        ))
        .needs("ds:DescribeDirectories")
        .rotate(context)
        .link(TEMPLATES);
        (explanation, remediation)
    });
    if let Verdict::Fires(finding) = &mut verdict
        && is_plain
    {
        finding.title = "the directory refuses the credentials in the secret".to_owned();
    }
    verdict
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::testing::{fail, finding, healthy};
    use crate::model::RotationStep;

    #[test]
    fn a_bind_that_any_directory_refuses_is_no_matter_of_kerberos() {
        let told = |line: &str| {
            let mut evidence = healthy();
            fail(&mut evidence, RotationStep::SetSecret, &[line]);
            let found = finding(RULE.cause, &evidence);
            format!("{} {} {}", found.title, found.explanation, found.remediation.summary)
        };
        let line = "ldap3.core.exceptions.LDAPInvalidCredentialsResult: LDAPInvalidCredentialsResult - 49 - invalidCredentials";
        let plain = told(line);
        assert!(plain.contains("the directory refuses the credentials") && !plain.contains("kinit"), "{plain}");
        let of_windows = told(&format!("{line} - None - 80090308: LdapErr: AcceptSecurityContext error, data 52e, v3839"));
        assert!(of_windows.contains("Active Directory") && of_windows.contains("kinit"), "{of_windows}");
    }
}
