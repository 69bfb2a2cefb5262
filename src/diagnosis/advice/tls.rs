//! TLS: asked for, not offered, too old, or not trusted.

use super::{Advice, Shown};
use crate::diagnosis::readings::function_age;
use crate::diagnosis::remedy::{TROUBLESHOOTING, aws_in};
use crate::model::Remediation;

/// AWS's page on the certificate authorities of RDS.
const AUTHORITIES: &str = "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.SSL.html";

pub(super) fn versions(shown: Shown<'_, '_, '_>) -> Advice {
    let text = shown.text().to_ascii_lowercase();
    // An alert comes from the other side; without one it was this side that broke off.
    let old = if text.contains("alert") || text.contains("remote error") {
        "The server broke off: it demands a newer version or cipher than the function's TLS library offers. The function's side is \
         the old one"
    } else {
        "The function broke off: the server offers only versions or ciphers that the function's TLS library no longer allows. The \
         database's side is the old one"
    };
    let runtime = shown.context.function().and_then(|function| function.runtime.as_deref());
    let runtime = runtime.map(|runtime| format!(" (runtime {runtime})")).unwrap_or_default();
    let remediation = Remediation::new(
        "Where the function is old: build it with a current driver and TLS library for a current runtime. Where the database is old: \
         look at the parameter for the lowest TLS version of its parameter group (ssl_min_protocol_version, tls_version, \
         rds.tls10), or upgrade it. Whether the secret asks for TLS changes nothing. Then rotate.",
    );
    Advice {
        title: "the function and the database share no version of TLS",
        explanation: format!(
            "Both sides speak TLS, and have no protocol version or cipher in common{}. {old}{runtime}.",
            shown.in_step()
        ),
        remediation: shown.list_instances(remediation).deploy_code(shown.context).rotate(shown.context).link(AUTHORITIES),
    }
}

pub(super) fn required(shown: Shown<'_, '_, '_>) -> Advice {
    let old = function_age::is_older_than(shown.context, function_age::TLS);
    let age = if old { " The function was last changed before 20 December 2021, when the templates learned TLS." } else { "" };
    let explanation =
        format!("The server takes encrypted connections only, and the function came without TLS{}.{age}", shown.in_step());
    let remediation = Remediation::new(
        "Set \"ssl\": true in the secret's JSON, take AWSPENDING away from a version made without it, and rotate. A function made \
         before 20 December 2021 cannot do TLS: recreate it from the current template.",
    )
    .put_value(shown.context)
    .discard_pending(shown.context)
    .rotate(shown.context)
    .link(TROUBLESHOOTING);
    Advice { title: "the database demands TLS, and the function came without", explanation, remediation }
}

pub(super) fn not_offered(shown: Shown<'_, '_, '_>) -> Advice {
    let remediation = Remediation::new(
        "Turn TLS on at the server; or, where it must do without, set \"ssl\": false in the secret's JSON and take AWSPENDING away \
         from a version made before. See that host and port are the database's own: another service on the port answers like \
         this too. Then rotate.",
    );
    Advice {
        title: "the function demands TLS, and the server offers none",
        explanation: format!(
            "The function asked for an encrypted connection{} and the server answered that it has none.",
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
    let expired = shown.text().contains("expired");
    let what = if expired { "has expired" } else { "is not signed by an authority that the function knows" };
    let query =
        "DBInstances[].{instance:DBInstanceIdentifier,authority:CACertificateIdentifier,valid:CertificateDetails.ValidTill}";
    let look = ["rds", "describe-db-instances", "--query", query];
    Advice {
        title: "the function does not trust the database's certificate",
        explanation: format!(
            "Both sides speak TLS{}, and the function broke off because the server's certificate {what}.",
            shown.in_step()
        ),
        remediation: Remediation::new(if expired {
            "Renew the server's certificate (on RDS: modify the instance to a current certificate authority), and rotate."
        } else {
            "Put the current bundle of certificate authorities into the function's package (on RDS: global-bundle.pem), deploy it, \
             and rotate. The secret's JSON needs no change."
        })
        .run(aws_in(shown.context, &look))
        .needs("rds:DescribeDBInstances")
        .deploy_code(shown.context)
        .rotate(shown.context)
        .link(AUTHORITIES),
    }
}

pub(super) fn client_certificate_required(shown: Shown<'_, '_, '_>) -> Advice {
    Advice {
        title: "the database demands a certificate of the function",
        explanation: format!(
            "The server asks every client for a certificate{}, and the function has none to show: a password alone does not do.",
            shown.in_step()
        ),
        remediation: Remediation::new(
            "Let the server accept this user without a client certificate (pg_hba.conf without clientcert; MySQL: REQUIRE SSL in \
             place of REQUIRE X509), or give the function a certificate. Then rotate.",
        )
        .deploy_code(shown.context)
        .rotate(shown.context)
        .link(TROUBLESHOOTING),
    }
}
