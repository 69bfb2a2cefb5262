//! Where Lambda keeps packages, and how they are fetched: from its own buckets, over TLS, without following anybody elsewhere.

use super::Aws;
use crate::http_body::{self, BodyError};
use crate::model::Observation;
use reqwest::{Client, StatusCode, redirect};
use std::time::Duration;
use url::{Host, Url};

/// The longest to wait for a connection to the bucket.
const CONNECT_DEADLINE: Duration = Duration::from_secs(5);

/// The buckets of Lambda beside those that are called after their region.
///
/// Source: answers of `GetFunction` in us-east-1.
const OLD_BUCKETS: [&str; 2] = ["prod-04-2014-tasks", "prod-04-2014-layers"];

/// Fetches packages. An address holds a signature, and stands in no error.
#[derive(Debug)]
pub(crate) struct PackageHost {
    client: Client,
    region: String,
    /// Where the account itself is, when it is on this machine.
    loopback: Option<Url>,
}

impl PackageHost {
    /// For the packages of `aws`.
    ///
    /// # Errors
    /// Where no client can be made.
    pub(crate) fn new(aws: &Aws) -> Result<PackageHost, String> {
        crate::tls::choose();
        let loopback = Url::parse(&aws.endpoint).ok().filter(is_loopback);
        let builder = Client::builder().redirect(redirect::Policy::none()).connect_timeout(CONNECT_DEADLINE);
        let builder = if loopback.is_some() { builder.no_proxy() } else { builder.https_only(true) };
        let client = builder.build().map_err(|_| "no client for the package can be made: TLS is not available".to_owned())?;
        Ok(PackageHost { client, region: aws.region().to_string(), loopback })
    }

    /// The package at `address`, as Lambda gave it, of at most `largest` bytes.
    pub(crate) async fn fetch(&self, address: &str, largest: usize) -> Observation<Vec<u8>> {
        let failed = |error: &str| Observation::Failed { error: error.to_owned() };
        let Some(url) = self.url(address) else {
            return failed("Lambda gave an address for the package that is none of its own");
        };
        let Ok(response) = self.client.get(url).send().await else { return failed("the package's address does not answer") };
        match response.status() {
            StatusCode::OK => {}
            status => return failed(&format!("the package's address answers {}", status.as_u16())),
        }
        match http_body::read(response, largest).await {
            Ok(package) => Observation::Found(package),
            Err(BodyError::TooLarge) => failed("the package is larger than is looked at"),
            Err(BodyError::BrokeOff) => failed("the package broke off"),
        }
    }

    /// The address, where it is one of Lambda's; on an account of this machine, that machine's.
    fn url(&self, address: &str) -> Option<Url> {
        let mut url = Url::parse(address).ok().filter(|url| is_of_lambda(url, &self.region))?;
        if let Some(here) = &self.loopback {
            url.set_scheme(here.scheme()).ok()?;
            url.set_host(here.host_str()).ok()?;
            url.set_port(here.port()).ok()?;
        }
        Some(url)
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// True for `https://awslambda-eu-west-1-tasks.s3.eu-west-1.amazonaws.com/…` and its like in `region`.
///
/// Source: Lambda API reference, examples of `GetFunction` and `GetLayerVersion`; endpoints of S3 in the AWS General Reference.
fn is_of_lambda(url: &Url, region: &str) -> bool {
    let Some(Host::Domain(host)) = url.host() else { return false };
    let is_plain = url.scheme() == "https" && url.port().is_none() && url.username().is_empty() && url.password().is_none();
    let suffix = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
    let Some((bucket, service)) = host.split_once('.') else { return false };
    let endpoints = [format!("s3.{region}.{suffix}"), format!("s3-{region}.{suffix}"), format!("s3.dualstack.{region}.{suffix}")];
    let is_global = region == "us-east-1" && service == "s3.amazonaws.com";
    is_plain && is_bucket(bucket) && (is_global || endpoints.iter().any(|endpoint| endpoint == service))
}

fn is_bucket(name: &str) -> bool {
    let middle =
        name.strip_prefix("awslambda-").and_then(|rest| rest.strip_suffix("-tasks").or_else(|| rest.strip_suffix("-layers")));
    let is_region = |text: &str| {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    OLD_BUCKETS.contains(&name) || middle.is_some_and(is_region)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    fn is_own(address: &str, region: &str) -> bool {
        Url::parse(address).is_ok_and(|url| is_of_lambda(&url, region))
    }

    #[test]
    fn only_lambdas_own_buckets_of_the_region_are_asked_and_only_over_tls() {
        for (address, region) in [
            (
                "https://awslambda-eu-west-1-tasks.s3.eu-west-1.amazonaws.com/snapshots/123456789012/f?X-Amz-Signature=x",
                "eu-west-1",
            ),
            ("https://awslambda-ap-se-1-tasks.s3.ap-southeast-1.amazonaws.com/snapshots/f", "ap-southeast-1"),
            ("https://awslambda-us-east-2-layers.s3.us-east-2.amazonaws.com/snapshots/l", "us-east-2"),
            ("https://prod-04-2014-tasks.s3.us-east-1.amazonaws.com/snapshots/f", "us-east-1"),
            ("https://prod-04-2014-layers.s3.amazonaws.com/snapshots/f", "us-east-1"),
            ("https://awslambda-cn-north-1-tasks.s3.cn-north-1.amazonaws.com.cn/snapshots/f", "cn-north-1"),
            ("https://awslambda-us-gov-west-1-tasks.s3.us-gov-west-1.amazonaws.com/snapshots/f", "us-gov-west-1"),
        ] {
            assert!(is_own(address, region), "{address}");
        }
        for address in [
            "http://awslambda-eu-west-1-tasks.s3.eu-west-1.amazonaws.com/f",
            "https://awslambda-eu-west-1-tasks.s3.eu-central-1.amazonaws.com/f",
            "https://awslambda-eu-west-1-tasks.s3.eu-west-1.amazonaws.com:8443/f",
            "https://user@awslambda-eu-west-1-tasks.s3.eu-west-1.amazonaws.com/f",
            "https://awslambda-eu-west-1-tasks.s3.eu-west-1.amazonaws.com.example.org/f",
            "https://awslambda-eu-west-1-tasks.s3.eu-west-1.amazonaws.com.cn/f",
            "https://s3.eu-west-1.amazonaws.com/awslambda-eu-west-1-tasks/f",
            "https://my-bucket.s3.eu-west-1.amazonaws.com/f",
            "https://awslambda--tasks.s3.eu-west-1.amazonaws.com.evil/f",
            "https://prod-04-2014-tasks.s3.amazonaws.com/f",
            "https://127.0.0.1/f",
            "https://169.254.169.254/latest/meta-data",
            "file:///etc/passwd",
            "s3://awslambda-eu-west-1-tasks/f",
        ] {
            assert!(!is_own(address, "eu-west-1"), "{address}");
        }
    }

    /// A bucket on loopback that answers every connection with these bytes and then closes it.
    async fn answering(answer: Vec<u8>) -> PackageHost {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let here = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut request = [0; 4_096];
                drop(stream.read(&mut request).await);
                drop(stream.write_all(&answer).await);
            }
        });
        crate::tls::choose();
        let client = Client::builder().redirect(redirect::Policy::none()).no_proxy().build().unwrap();
        PackageHost { client, region: "eu-west-1".to_owned(), loopback: Url::parse(&here).ok() }
    }

    const ADDRESS: &str = "https://awslambda-eu-west-1-tasks.s3.eu-west-1.amazonaws.com/snapshots/f?X-Amz-Signature=x";

    async fn fetched(answer: &str, body: &[u8], largest: usize) -> Observation<Vec<u8>> {
        let host = answering([answer.as_bytes(), body].concat()).await;
        host.fetch(ADDRESS, largest).await
    }

    #[tokio::test]
    async fn nobody_is_followed_and_no_more_is_kept_than_was_allowed_whatever_the_answer_says_of_its_length() {
        let failed = |error: &str| Observation::Failed { error: error.to_owned() };
        let found = fetched("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n", b"PK\x03\x04", 4).await;
        assert_eq!(found, Observation::Found(b"PK\x03\x04".to_vec()));
        for elsewhere in ["http://169.254.169.254/", "https://example.org/", "/other"] {
            let answer = format!("HTTP/1.1 302 Found\r\nLocation: {elsewhere}\r\nContent-Length: 0\r\n\r\n");
            assert_eq!(fetched(&answer, b"", 4).await, failed("the package's address answers 302"), "{elsewhere}");
        }
        let much = vec![b'x'; 100_000];
        let said = fetched("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", &much, 1_000).await;
        assert_eq!(said, failed("the package is larger than is looked at"));
        let endless = fetched("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", &much, 1_000).await;
        assert_eq!(endless, failed("the package is larger than is looked at"));
        let chunked = [&b"186a0\r\n"[..], &much[..], b"\r\n0\r\n\r\n"].concat();
        let chunks = fetched("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", &chunked, 1_000).await;
        assert_eq!(chunks, failed("the package is larger than is looked at"));
        let short = fetched("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b"PK", 1_000_000).await;
        assert_eq!(short, failed("the package broke off"));
        let host = answering(Vec::new()).await;
        let foreign = host.fetch("https://my-bucket.s3.eu-west-1.amazonaws.com/f", 4).await;
        assert_eq!(foreign, failed("Lambda gave an address for the package that is none of its own"));
    }
}
