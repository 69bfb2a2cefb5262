//! What comes in over HTTP: whether the address can be listened on, and whether who calls can reach it.

use crate::chat::PlatformKind;
use crate::chat::setup::{CheckResult, Checked, checked, fine, missing, open};
use crate::clock::Clock;
use crate::config::Config;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer as _;

/// Who calls from the internet, and where.
fn callers(kinds: &[&dyn PlatformKind], config: &Config) -> Vec<(&'static str, &'static str)> {
    let platforms = kinds.iter().filter_map(|kind| {
        let path = config.platforms.get(kind.name())?.called_at()?;
        Some((kind.limits().title, path))
    });
    platforms.chain(config.alarms.sns.is_some().then_some(("SNS", "/sns"))).collect()
}

pub(super) fn check(kinds: &[&dyn PlatformKind], config: &Config) -> Vec<Checked> {
    let callers = callers(kinds, config);
    let answers = !callers.is_empty()
        || config.agents.is_some()
        || config.platforms.iter().any(|(_, platform)| platform.answers_over_http());
    if !answers && !config.http_is_asked_for {
        return Vec::new();
    }
    let mut all = vec![checked("HTTP", listens(config.http.listen, "http"))];
    if let Some((certificate, key)) = &config.http.tls {
        all.push(checked("HTTP", certified(certificate, key, !callers.is_empty())));
    } else if !callers.is_empty() {
        let who: Vec<&str> = callers.iter().map(|(who, _)| *who).collect();
        let paths: Vec<&str> = callers.iter().map(|(_, path)| *path).collect();
        let why = format!(
            "{} can reach the bot only at a public https address: let a proxy with a certificate of a public authority pass {} on to {}, or set [http] listen, tls_certificate and tls_key",
            who.join(" and "),
            paths.join(", "),
            config.http.listen
        );
        all.push(checked("HTTP", open(why)));
    }
    all
}

/// Whether the address that the table `table` names can be listened on.
pub(super) fn listens(address: SocketAddr, table: &str) -> CheckResult {
    match TcpListener::bind(address) {
        Ok(_) => fine(format!("{address} can be listened on")),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            open(format!("{address} is in use: by the bot, if it is running, else choose another [{table}] listen"))
        }
        Err(error) => missing(format!("{address} cannot be listened on ({error}): choose another [{table}] listen")),
    }
}

fn certified(certificate: &Path, key: &Path, for_strangers: bool) -> CheckResult {
    let unusable = |path: &Path, why: &dyn std::fmt::Display| missing(format!("{} cannot be used: {why}", path.display()));
    let chain: Result<Vec<CertificateDer<'_>>, _> = CertificateDer::pem_file_iter(certificate).and_then(|chain| chain.collect());
    let chain = match chain {
        Ok(chain) => chain,
        Err(error) => return unusable(certificate, &error),
    };
    if let Err(error) = rustls::pki_types::PrivateKeyDer::from_pem_file(key) {
        return unusable(key, &error);
    }
    let Some(own) = chain.first() else { return unusable(certificate, &"it holds no certificate") };
    let Ok((_, own)) = X509Certificate::from_der(own) else { return unusable(certificate, &"its certificate cannot be read") };
    let today = Clock::system().now().as_second();
    let validity = own.validity();
    if !(validity.not_before.timestamp()..=validity.not_after.timestamp()).contains(&today) {
        return missing(format!("the certificate in {} is not valid today: renew it", certificate.display()));
    }
    if for_strangers && own.issuer() == own.subject() {
        let why = "is its own issuer: callers from the internet accept only certificates of a public authority";
        return missing(format!("the certificate in {} {why}", certificate.display()));
    }
    fine("the certificate is valid today")
}
