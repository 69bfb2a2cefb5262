//! TLS: asked for, not offered, too old, or not trusted.

use super::{Advice, Shown};
use crate::diagnosis::readings::function_age;
use crate::diagnosis::remedy::TROUBLESHOOTING;
use crate::model::Remediation;

/// AWS's page on the certificate authorities of RDS.
const AUTHORITIES: &str = "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.SSL.html";

pub(super) fn versions(shown: Shown<'_, '_, '_>) -> Advice {
    let noun = shown.noun();
    let text = shown.text().to_ascii_lowercase();
    // An alert comes from the other side; without one it was this side that broke off.
    let old = if text.contains("alert") || text.contains("remote error") {
        "The server ended the handshake: it demands a newer version or cipher than the function's TLS library offers. The \
         function is too old"
            .to_owned()
    } else {
        format!(
            "The function ended the handshake: the server offers only versions or ciphers that the function's TLS library no longer \
             allows. The {noun} is too old"
        )
    };
    let runtime = shown.context.function().and_then(|function| function.runtime.as_deref());
    let runtime = runtime.map(|runtime| format!(" (runtime {runtime})")).unwrap_or_default();
    let lowest = match shown.context.behind().is_database() {
        true => {
            "in its parameter group (ssl_min_protocol_version, tls_version, rds.tls10), which other databases may share, or upgrade it"
        }
        false => "that it allows, or upgrade it",
    };
    let remediation = Remediation::new(format!(
        "If the function is too old, build it with a current driver and TLS library for a current runtime. If the {noun} is, check \
         the lowest TLS version {lowest}. Then rotate. Changing \"ssl\" in the secret does not help."
    ));
    Advice {
        title: format!("the function and the {noun} have no TLS version in common"),
        explanation: format!(
            "Both sides use TLS but have no protocol version or cipher in common{}. {old}{runtime}.",
            shown.in_step()
        ),
        remediation: shown.list_instances(remediation).deploy_code(shown.context).rotate(shown.context).link(AUTHORITIES),
    }
}

pub(super) fn required(shown: Shown<'_, '_, '_>) -> Advice {
    let noun = shown.noun();
    let old = function_age::is_older_than(shown.context, function_age::TLS);
    let age = if old {
        " The function was last changed before 20 December 2021, when the templates began to support \
                        TLS."
    } else {
        ""
    };
    let explanation =
        format!("The server accepts only encrypted connections, and the function connected without TLS{}.{age}", shown.in_step());
    let remediation = Remediation::new(
        "Set \"ssl\": true in the secret's JSON, remove AWSPENDING from a version created without it, and rotate. A function \
         created before 20 December 2021 cannot use TLS: create it anew from the current template.",
    )
    .put_value(shown.context)
    .discard_pending(shown.context)
    .rotate(shown.context)
    .link(TROUBLESHOOTING);
    Advice { title: format!("the {noun} demands TLS, and the function does not use it"), explanation, remediation }
}

pub(super) fn not_offered(shown: Shown<'_, '_, '_>) -> Advice {
    let noun = shown.noun();
    let remediation = Remediation::new(format!(
        "Turn TLS on at the server. Only if the {noun} has to work without TLS, set \"ssl\": false in the secret's JSON and \
         remove AWSPENDING from a version created before. Check also that host and port are the {noun}'s: another service on \
         that port gives the same answer. Then rotate."
    ));
    Advice {
        title: "the function demands TLS, and the server does not offer it".into(),
        explanation: format!(
            "The function asked for an encrypted connection{}, and the server answered that it does not offer one.",
            shown.in_step()
        ),
        remediation: shown
            .list_instances(remediation)
            .put_value(shown.context)
            .discard_pending(shown.context)
            .rotate(shown.context)
            .link(TROUBLESHOOTING),
    }
}

pub(super) fn certificate_untrusted(shown: Shown<'_, '_, '_>) -> Advice {
    let noun = shown.noun();
    let text = shown.text().to_ascii_lowercase();
    let expired = ["expired", "validity check failed"].iter().any(|words| text.contains(words));
    let no_authorities = text.contains("root certificate file");
    let what = match (expired, no_authorities) {
        (true, _) => "has expired",
        (_, true) => "cannot be checked: the file with the authorities that the function trusts is not in its package",
        _ => "is not signed by an authority that the function trusts",
    };
    let query =
        "DBInstances[].{instance:DBInstanceIdentifier,authority:CACertificateIdentifier,valid:CertificateDetails.ValidTill}";
    Advice {
        title: format!("the function does not trust the {noun}'s certificate"),
        explanation: format!(
            "Both sides use TLS, but the function ended the handshake{} because the server's certificate {what}.",
            shown.in_step()
        ),
        remediation: Remediation::new(if expired {
            "Renew the server's certificate (on RDS: modify the instance to a current certificate authority), and rotate."
        } else {
            "Put the current bundle of certificate authorities into the function's package (on RDS: global-bundle.pem), deploy it, \
             and rotate. The secret's JSON needs no change."
        })
        .ask_rds_for(shown.context, query)
        .deploy_code(shown.context)
        .rotate(shown.context)
        .link(AUTHORITIES),
    }
}

/// Since Python 3.13 the default context asks for X.509's strict form. Source: "What's New In Python 3.13", ssl.
const IS_STRICT: [&str; 3] = ["Key Identifier", "Basic Constraints", "key usage extension"];

pub(super) fn certificate_form(shown: Shown<'_, '_, '_>) -> Advice {
    let is_strict = IS_STRICT.iter().any(|words| shown.text().contains(words));
    let why = if is_strict {
        "it lacks what the strict form of X.509 asks for. Python asks for that form since 3.13, other libraries do not"
    } else {
        "its key or signature is too weak for the function's TLS library"
    };
    let fix = if is_strict {
        "Have the certificate issued anew with what the quoted line names, by whoever runs the server or the proxy before it. Until \
         then clear ssl.VERIFY_X509_STRICT in the verify_flags of the function's context, which leaves the other checks on, and \
         deploy it. Then rotate."
    } else {
        "Have the certificate issued anew with a key of 2,048 bits and SHA-256 at least (on RDS: modify the instance to a current \
         certificate authority), and rotate."
    };
    let query = "DBInstances[].{instance:DBInstanceIdentifier,authority:CACertificateIdentifier}";
    let fix = Remediation::new(fix).ask_rds_for(shown.context, query);
    let fix = if is_strict { fix.deploy_code(shown.context) } else { fix };
    Advice {
        title: "the function's TLS library rejects the form of the server's certificate".into(),
        explanation: format!(
            "Both sides use TLS, but the function ended the handshake{}: a certificate of the server was read, and {why}. Who signed \
             it is not the matter.",
            shown.in_step()
        ),
        remediation: fix.rotate_after_others(shown.context).link(AUTHORITIES),
    }
}

pub(super) fn client_certificate_required(shown: Shown<'_, '_, '_>) -> Advice {
    let noun = shown.noun();
    Advice {
        title: format!("the {noun} demands a client certificate"),
        explanation: format!(
            "The server asked the function for a client certificate{}, and the function has none: a password alone is not \
             enough.",
            shown.in_step()
        ),
        remediation: Remediation::new(
            "Let the server accept this user without a client certificate (pg_hba.conf without clientcert; MySQL: REQUIRE SSL \
             instead of REQUIRE X509), or give the function a certificate. Then rotate.",
        )
        .deploy_code(shown.context)
        .rotate(shown.context)
        .link(TROUBLESHOOTING),
    }
}
