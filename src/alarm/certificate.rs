//! A certificate that signs SNS messages: where it may be from, and whether it is one.

use super::envelope::SignatureVersion;
use crate::config::Topic;
use aws_lc_rs::signature::{RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use x509_parser::extensions::GeneralName;
use x509_parser::pem::Pem;
use x509_parser::prelude::{FromDer as _, X509Certificate};

/// The longest signature, in characters of base64: that of an RSA key of 8 192 bits, the largest aws-lc verifies.
const MAX_SIGNATURE: usize = 1_368;

/// True for the one kind of address a certificate is fetched from. Comparing the whole text leaves no room for ports,
/// users, queries, fragments, dots and encodings.
pub(super) fn is_certificate_url(url: &str, topic: &Topic) -> bool {
    let name = url
        .strip_prefix("https://")
        .and_then(|rest| rest.strip_prefix(topic.host().as_str()))
        .and_then(|rest| rest.strip_prefix("/SimpleNotificationService-"))
        .and_then(|rest| rest.strip_suffix(".pem"));
    name.is_some_and(|name| {
        (16..=64).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    })
}

/// A certificate, reduced to what verification asks of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Certificate {
    key: Vec<u8>,
    names: Vec<String>,
    from: i64,
    to: i64,
}

/// Why something that was fetched is no certificate to verify with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unusable {
    #[error("it is not a single PEM certificate")]
    NotOne,
    #[error("its key is not RSA")]
    Key,
}

/// The one certificate in a text of PEM, in DER.
pub(super) fn der_of(pem: &[u8]) -> Result<Vec<u8>, Unusable> {
    let mut blocks = Pem::iter_from_buffer(pem);
    match (blocks.next(), blocks.next()) {
        (Some(Ok(block)), None) if block.label == "CERTIFICATE" => Ok(block.contents),
        _ => Err(Unusable::NotOne),
    }
}

impl Certificate {
    /// Reads DER of exactly one certificate, which has an RSA key.
    pub(super) fn parse(der: &[u8]) -> Result<Certificate, Unusable> {
        let (rest, certificate) = X509Certificate::from_der(der).map_err(|_| Unusable::NotOne)?;
        if !rest.is_empty() {
            return Err(Unusable::NotOne);
        }
        let key = certificate.public_key();
        if key.algorithm.algorithm != x509_parser::oid_registry::OID_PKCS1_RSAENCRYPTION {
            return Err(Unusable::Key);
        }
        let validity = certificate.validity();
        Ok(Certificate {
            key: key.subject_public_key.data.to_vec(),
            names: names(&certificate),
            from: validity.not_before.timestamp(),
            to: validity.not_after.timestamp(),
        })
    }

    /// True when it is valid at `now`.
    pub(super) fn is_valid_at(&self, now: Timestamp) -> bool {
        (self.from..=self.to).contains(&now.as_second())
    }

    /// True when it is made out to SNS: to the service, or to its host in this partition or region.
    pub(super) fn is_of_sns(&self, topic: &Topic) -> bool {
        let names = ["sns.amazonaws.com".to_owned(), format!("sns.{}", topic.suffix()), topic.host()];
        self.names.iter().any(|name| names.contains(name))
    }

    /// True when `signature`, in base64, is this certificate's under `text`.
    pub(super) fn verifies(&self, version: SignatureVersion, text: &str, signature: &str) -> bool {
        let Some(signature) = Some(signature)
            .filter(|signature| signature.len() <= MAX_SIGNATURE)
            .and_then(|signature| STANDARD.decode(signature).ok())
        else {
            return false;
        };
        let algorithm = match version {
            SignatureVersion::One => &RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY,
            SignatureVersion::Two => &RSA_PKCS1_2048_8192_SHA256,
        };
        UnparsedPublicKey::new(algorithm, &self.key).verify(text.as_bytes(), &signature).is_ok()
    }
}

/// The names it is made out to: its alternative names; only without any, its common name.
fn names(certificate: &X509Certificate<'_>) -> Vec<String> {
    if let Ok(Some(alternative)) = certificate.subject_alternative_name() {
        let dns = alternative.value.general_names.iter().filter_map(|name| match name {
            GeneralName::DNSName(name) => Some((*name).to_owned()),
            _ => None,
        });
        return dns.collect();
    }
    certificate.subject().iter_common_name().filter_map(|name| name.as_str().ok()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_single_block_that_says_so_is_a_certificate() {
        let block = |label: &str| format!("-----BEGIN {label}-----\nAAAA\n-----END {label}-----\n");
        assert_eq!(der_of(block("CERTIFICATE").as_bytes()), Ok(vec![0; 3]));
        let two = block("CERTIFICATE").repeat(2);
        for pem in ["", "AAAA", &two, &block("TRUSTED CERTIFICATE"), &block("PUBLIC KEY")] {
            assert_eq!(der_of(pem.as_bytes()), Err(Unusable::NotOne), "{pem}");
        }
    }

    #[test]
    fn a_certificate_comes_from_one_kind_of_address_only() {
        let topic = Topic::parse("arn:aws:sns:us-east-1:123456789012:t").unwrap();
        let hash = "7ff5318490ec183fbaddaa2a969abfda";
        let file = format!("SimpleNotificationService-{hash}.pem");
        assert!(is_certificate_url(&format!("https://sns.us-east-1.amazonaws.com/{file}"), &topic));
        for url in [
            format!("http://sns.us-east-1.amazonaws.com/{file}"),
            format!("https://sns.us-east-1.amazonaws.com:443/{file}"),
            format!("https://sns.us-east-1.amazonaws.com:444/{file}"),
            format!("https://u:p@sns.us-east-1.amazonaws.com/{file}"),
            format!("https://sns.us-east-1.amazonaws.com/{file}?x"),
            format!("https://sns.us-east-1.amazonaws.com/?{file}"),
            format!("https://sns.us-east-1.amazonaws.com/{file}#x"),
            format!("https://sns.us-east-1.amazonaws.com/#{file}"),
            format!("https://SNS.us-east-1.amazonaws.com/{file}"),
            format!("https://sns.us-east-1.amazonaws.com./{file}"),
            format!("https://sns.us-east-1.amazonaws.com.evil.example/{file}"),
            format!("https://evil-sns.us-east-1.amazonaws.com/{file}"),
            format!("https://sns.us-east-1.amazonaws.com%2eevil.example/{file}"),
            format!("https://ѕns.us-east-1.amazonaws.com/{file}"),
            format!("https://sns.us-west-2.amazonaws.com/{file}"),
            format!("https://sns.s3-us-west-2.amazonaws.com/{file}"),
            format!("https://sns.s3.amazonaws.com/{file}"),
            format!("https://s3.amazonaws.com/sns/{file}"),
            format!("https://127.0.0.1/{file}"),
            format!("https://169.254.169.254/{file}"),
            format!("https://2852039166/{file}"),
            format!("https://0251.0376.0251.0376/{file}"),
            format!("https://[::1]/{file}"),
            format!("https://localhost/{file}"),
            format!("https://sns.us-east-1.amazonaws.com//{file}"),
            format!("https://sns.us-east-1.amazonaws.com/x/../{file}"),
            format!("https://sns.us-east-1.amazonaws.com/%2F{file}"),
            format!("https://sns.us-east-1.amazonaws.com/{file}\n"),
            format!(" https://sns.us-east-1.amazonaws.com/{file}"),
            format!("https://sns.us-east-1.amazonaws.com\\@evil.example/{file}"),
            "https://sns.us-east-1.amazonaws.com/evil.pem".to_owned(),
            "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-.pem".to_owned(),
            "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-xyz.pem".to_owned(),
            format!("https://sns.us-east-1.amazonaws.com/SimpleNotificationService-{}.pem", "a".repeat(65)),
            "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-aaaaaaaaaaaaaaaa/../../x.pem".to_owned(),
            String::new(),
        ] {
            assert!(!is_certificate_url(&url, &topic), "{url}");
        }
    }
}
