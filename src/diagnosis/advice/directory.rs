//! What Active Directory and other LDAP directories refuse, beside Kerberos.

use super::{Advice, Shown};
use crate::diagnosis::remedy::{TEMPLATES, aws_in};
use crate::model::Remediation;

/// Microsoft's page on the codes of a refused bind.
const BIND_ERRORS: &str = "https://learn.microsoft.com/en-us/windows/win32/debug/system-error-codes--1300-1699-";

impl Shown<'_, '_, '_> {
    /// The directories of the region that AWS manages.
    fn list_directories(&self, remediation: Remediation) -> Remediation {
        let query = "DirectoryDescriptions[].{name:Name,stage:Stage,type:Type,dns:DnsIpAddrs}";
        remediation.run(aws_in(self.context, &["ds", "describe-directories", "--query", query])).needs("ds:DescribeDirectories")
    }
}

pub(super) fn password_refused(shown: Shown<'_, '_, '_>) -> Advice {
    let fix = Remediation::new(
        "Compare the domain's password policy with PASSWORD_LENGTH and the excluded characters that the function generates by. Save the \
         present variables to environment.json, add what is missing, apply the file, remove AWSPENDING, and rotate. If the user changes \
         its own password, history and the least age count too: Active Directory refuses a second change within a day by default.",
    );
    Advice {
        title: "the directory's password policy refuses the new password".into(),
        explanation: format!(
            "The directory accepted the function's login and refused the new password{}: too short, too simple, used before, or \
             changed again too soon.",
            shown.in_step()
        ),
        remediation: fix.set_environment(shown.context).discard_pending(shown.context).rotate(shown.context).link(TEMPLATES),
    }
}

pub(super) fn needs_tls(shown: Shown<'_, '_, '_>) -> Advice {
    let fix = Remediation::new(
        "Let the function connect with LDAPS (port 636) or StartTLS before it sets a password, and trust the domain's certificate \
         authority. Deploy it, and rotate. In AWS Managed Microsoft AD, server-side LDAPS needs a certificate on the domain controllers.",
    );
    Advice {
        title: "the directory sets passwords only over an encrypted connection".into(),
        explanation: format!(
            "The directory accepted the function's login and refused to set the password{}, as it does where the connection is not \
             encrypted.",
            shown.in_step()
        ),
        remediation: shown.list_directories(fix).deploy_code(shown.context).rotate(shown.context).link(TEMPLATES),
    }
}

/// What the code behind `data` says of the account.
struct RefusedBind {
    title: &'static str,
    what: &'static str,
    fix: &'static str,
}

fn refusal(text: &str) -> RefusedBind {
    let code = text.split_once("AcceptSecurityContext error, data ").map_or("", |(_, rest)| rest);
    let code = code.split(|c: char| !c.is_ascii_hexdigit()).next().unwrap_or_default();
    match code {
        "525" => RefusedBind {
            title: "Active Directory has no such user",
            what: "there is no such user",
            fix: "Correct the user name in the secret, or create the user. Then rotate.",
        },
        "530" | "531" => RefusedBind {
            title: "Active Directory does not let the user log in now, or from there",
            what: "the user may not log in at this hour, or from this computer",
            fix: "Widen the logon hours or workstations of the account, and rotate.",
        },
        "532" | "773" => RefusedBind {
            title: "the user's password in Active Directory has expired",
            what: "the password is right but has expired, or must be changed at the next login",
            fix: "Set the present password anew as an administrator (Set-ADAccountPassword), without a change at the next login, and \
                  rotate.",
        },
        "533" | "701" => RefusedBind {
            title: "the user's account in Active Directory is disabled or has expired",
            what: "the account is disabled or has expired",
            fix: "Enable the account as an administrator (Enable-ADAccount, or Clear-ADAccountExpiration), and rotate.",
        },
        _ => RefusedBind {
            title: "Active Directory has locked the account",
            what: "the account is locked after too many wrong passwords",
            fix: "Find what still logs in with an old password and stop it, unlock the account as an administrator \
                  (Unlock-ADAccount), and rotate.",
        },
    }
}

pub(super) fn account(shown: Shown<'_, '_, '_>) -> Advice {
    let RefusedBind { title, what, fix } = refusal(shown.text());
    Advice {
        title: title.into(),
        explanation: format!("Active Directory was reached and refused the bind{}: {what}.", shown.in_step()),
        remediation: shown.list_directories(Remediation::new(fix)).rotate(shown.context).link(BIND_ERRORS),
    }
}

pub(super) fn user_gone(shown: Shown<'_, '_, '_>) -> Advice {
    let fix = Remediation::new(
        "Compare the directory's id and the user name in the secret with what exists. Store what is right, or create the user again. \
         Remove AWSPENDING from the version created before, and rotate.",
    );
    Advice {
        title: "the directory has no such user".into(),
        explanation: format!(
            "AWS Directory Service answered{} that the directory or the user does not exist. No password was checked.",
            shown.in_step()
        ),
        remediation: shown
            .list_directories(fix)
            .put_value(shown.context)
            .discard_pending(shown.context)
            .rotate(shown.context)
            .link(TEMPLATES),
    }
}
