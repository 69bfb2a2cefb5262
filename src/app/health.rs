//! Asks a running bot how it is, from the machine it runs on, as a container's own health check does.

use crate::config::Http;
use crate::http_body;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

/// Where a bot says whether its process lives.
pub(super) const ALIVE: &str = "/healthz";

/// Where it says whether a command would be answered.
pub(super) const READY: &str = "/readyz";

/// How long it may take to answer; a container's health check gives up after some seconds, too.
const PATIENCE: Duration = Duration::from_secs(4);

/// The longest answer that is read, in bytes.
const MAX_ANSWER_BYTES: usize = 1 << 10;

/// What the bot said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthAnswer {
    /// True where it answered yes.
    pub is_good: bool,
    /// Its words.
    pub text: String,
}

/// Asks the bot that listens as `http` says.
///
/// # Errors
/// Where nobody answers, in one sentence.
pub async fn ask(http: &Http, ready: bool) -> Result<HealthAnswer, String> {
    crate::tls::choose();
    let scheme = if http.tls.is_some() { "https" } else { "http" };
    let address = reachable(http.listen);
    let url = format!("{scheme}://{address}{}", if ready { READY } else { ALIVE });
    let client = reqwest::Client::builder()
        .timeout(PATIENCE)
        .no_proxy()
        // Its certificate is for the name by which others reach it. Nothing is told to whoever answers here.
        .danger_accept_invalid_certs(true)
        .build()
        .map_err(|error| error.to_string())?;
    let nobody = |error: reqwest::Error| format!("no bot answers on {address}: {}", error.without_url());
    let answer = client.get(url).send().await.map_err(nobody)?;
    let is_good = answer.status().is_success();
    let body = http_body::read(answer, MAX_ANSWER_BYTES).await.map_err(|error| error.to_string())?;
    Ok(HealthAnswer { is_good, text: String::from_utf8_lossy(&body).trim().to_owned() })
}

/// The address at which a listener on all addresses is reached from its own machine.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_on_all_addresses_is_reached_on_loopback() {
        for (listen, expected) in [
            ("0.0.0.0:8080", "127.0.0.1:8080"),
            ("[::]:8080", "[::1]:8080"),
            ("192.0.2.7:80", "192.0.2.7:80"),
            ("127.0.0.1:8443", "127.0.0.1:8443"),
        ] {
            assert_eq!(reachable(listen.parse().unwrap()).to_string(), expected);
        }
    }
}
