//! The table `[console]`: the page in the browser, offered by `serve`.

use super::{CHANNEL, WORKSPACE};
use crate::config::reader::{self, Section};
use crate::config::{Config, Misplaced, PlatformConfig, TokenSource, TrustedNetwork};
use crate::model::Place;
use url::Url;

/// How the page is offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsoleConfig {
    /// The token that people give before they see anything.
    pub token: TokenSource,
    /// Where people reach it; `None` where they come straight to `http.listen`.
    pub url: Option<ConsoleUrl>,
    /// The proxies in front whose word about a browser's address (`X-Forwarded-For`) counts; nobody's where it is empty.
    pub trusted_proxies: Vec<TrustedNetwork>,
}

/// Where people reach the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsoleUrl {
    /// Host, and port where it is not the scheme's own: what browsers put into the `Host` header.
    pub host: String,
    pub secure: bool,
    /// The path below which a proxy offers the page, such as `/rotation-diag`; empty where the page has the host to itself.
    pub path: String,
}

impl ConsoleUrl {
    /// The address as people type it, without a slash at its end.
    #[must_use]
    pub fn address(&self) -> String {
        format!("{}://{}{}", if self.secure { "https" } else { "http" }, self.host, self.path)
    }
}

/// First segments of paths that lead elsewhere here: a page below one of them would hide it, or be hidden. The names of
/// platforms are taken too.
const TAKEN: [&str; 14] = [
    "act",
    "assets",
    "causes",
    "healthz",
    "investigations",
    "live",
    "mcp",
    "readyz",
    "say",
    "sign-in",
    "sign-out",
    "sns",
    "suggest",
    "threads",
];

pub(super) fn read(root: &Section<'_>) -> Option<ConsoleConfig> {
    let section = root.section("console")?;
    let token = section.get("token", |value| TokenSource::parse(&reader::text(value)?));
    let url = section.get("url", |value| address(&reader::text(value)?));
    let is_network = |text: String| text.parse::<TrustedNetwork>().map(|_| text);
    let trusted_proxies = section.get("trusted_proxies", |value| reader::texts(value, is_network)).unwrap_or_default();
    if !section.has("token") {
        root.problem("console", "`token` is missing: the web console is never offered without one");
    }
    section.finish();
    let trusted_proxies = trusted_proxies.iter().filter_map(|text| text.parse().ok()).collect();
    Some(ConsoleConfig { token: token?, url, trusted_proxies })
}

impl PlatformConfig for ConsoleConfig {
    fn misplaced(&self, place: &Place, _config: &Config) -> Vec<Misplaced> {
        let workspace = || Misplaced::Workspace(format!("the web console has one workspace, \"{WORKSPACE}\""));
        let channel = || Misplaced::Channel(format!("the web console has one channel, \"{CHANNEL}\""));
        let wrong = [(place.workspace != WORKSPACE).then(workspace), (place.channel != CHANNEL).then(channel)];
        wrong.into_iter().flatten().collect()
    }

    fn path(&self) -> &str {
        self.url.as_ref().map_or("", |url| url.path.as_str())
    }

    fn people_at(&self) -> Option<String> {
        self.url.as_ref().map(ConsoleUrl::address)
    }

    fn answers_over_http(&self) -> bool {
        true
    }
}

fn address(text: &str) -> Result<ConsoleUrl, String> {
    let expected = || format!("expected the page's address, such as \"https://rotation-diag.example.com\", found {text:?}");
    let url = Url::parse(text).map_err(|_| expected())?;
    let bare = url.query().is_none() && url.fragment().is_none() && url.username().is_empty() && url.password().is_none();
    let path = url.path().trim_end_matches('/');
    let (Some(host), true) = (url.host_str(), bare && matches!(url.scheme(), "http" | "https")) else { return Err(expected()) };
    let mut segments = path.split('/').skip(1);
    let is_plain =
        |segment: &str| !segment.is_empty() && segment.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'));
    if !segments.clone().all(is_plain) {
        return Err(format!("expected a path of letters, digits, dots and dashes, found {text:?}"));
    }
    if let Some(taken) = segments.next().filter(|first| TAKEN.contains(first)) {
        return Err(format!("the path /{taken} is used for something else on this server: choose another"));
    }
    Ok(ConsoleUrl {
        host: url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")),
        secure: url.scheme() == "https",
        path: path.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::PLATFORMS;

    #[test]
    fn the_page_is_offered_only_with_a_token_and_off_where_the_table_is_left_out() {
        assert!(Config::parse("", PLATFORMS).unwrap().platforms.is_empty());
        let text = "[console]\ntoken = \"env:PAGE\"\nurl = \"https://page.example:8443/\"\ntrusted_proxies = [\"10.0.0.0/8\"]\n";
        let config = Config::parse(text, PLATFORMS).unwrap();
        let config = config.platforms.of::<ConsoleConfig>().unwrap();
        assert_eq!(config.token, TokenSource::Env("PAGE".to_owned()));
        let url = ConsoleUrl { host: "page.example:8443".to_owned(), secure: true, path: String::new() };
        assert_eq!(config.url, Some(url));
        assert_eq!(config.trusted_proxies, ["10.0.0.0/8".parse().unwrap()]);
        let problems = Config::parse("[console]\nurl = \"http://page.example/sns/\"\ntrusted_proxies = [\"proxy\"]\n", PLATFORMS)
            .unwrap_err();
        let told: Vec<&str> = problems.iter().map(|(_, text)| text.as_str()).collect();
        assert_eq!(told.len(), 3, "{told:?}");
        for expected in ["`token` is missing", "is used for something else", "a network such as"] {
            assert!(told.iter().any(|text| text.contains(expected)), "{told:?}");
        }
    }

    #[test]
    fn the_page_is_not_below_the_name_of_a_platform() {
        for kind in PLATFORMS {
            let text = format!("[console]\ntoken = \"env:PAGE\"\nurl = \"https://ops.example/{}/page\"\n", kind.name());
            let problems = Config::parse(&text, PLATFORMS).unwrap_err();
            let expected =
                format!("`console`: the path /{} is used for something else on this server: choose another", kind.name());
            assert_eq!(problems, [(1, expected)]);
        }
    }

    #[test]
    fn an_address_has_a_host_perhaps_a_path_and_nothing_after_it() {
        for text in [
            "",
            "page.example",
            "ftp://page.example",
            "https://user@page.example",
            "https://:pass@page.example",
            "https://page.example/a//b",
            "https://page.example/a%2fb",
            "https://page.example/{x}",
            "https://page.example/assets/x",
            "https://page.example/?x",
        ] {
            assert!(address(text).is_err(), "{text}");
        }
        let own = ConsoleUrl { host: "127.0.0.1:8080".to_owned(), secure: false, path: String::new() };
        assert_eq!(address("http://127.0.0.1:8080"), Ok(own));
        assert_eq!(address("https://ops.example/tools/rotation-diag/").unwrap().path, "/tools/rotation-diag");
        assert_eq!(address("https://page.example:443").unwrap().host, "page.example");
    }
}
