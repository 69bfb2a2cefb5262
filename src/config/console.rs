//! The table `[console]`: the page in the browser, offered by `serve`.

use super::reader::{self, Section};
use super::token::TokenSource;
use url::Url;

/// How the page is offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsoleConfig {
    /// The token that people give before they see anything.
    pub token: TokenSource,
    /// Where people reach it; `None` where they come straight to `http.listen`.
    pub url: Option<ConsoleUrl>,
}

/// Where people reach the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsoleUrl {
    /// Host, and port where it is not the scheme's own: what browsers put into the `Host` header.
    pub host: String,
    /// True over TLS.
    pub secure: bool,
}

pub(super) fn read(root: &Section<'_>) -> Option<ConsoleConfig> {
    let section = root.section("console")?;
    let token = section.get("token", |value| TokenSource::parse(&reader::text(value)?));
    let url = section.get("url", |value| address(&reader::text(value)?));
    if !section.has("token") {
        root.problem("console", "`token` is missing: the page is never offered without one");
    }
    section.finish();
    Some(ConsoleConfig { token: token?, url })
}

fn address(text: &str) -> Result<ConsoleUrl, String> {
    let expected =
        || format!("expected the page's address without a path, such as \"https://rotation-diag.example.com\", found {text:?}");
    let url = Url::parse(text).map_err(|_| expected())?;
    let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    match (url.host_str(), url.port()) {
        (Some(host), port) if bare && matches!(url.scheme(), "http" | "https") => Ok(ConsoleUrl {
            host: port.map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")),
            secure: url.scheme() == "https",
        }),
        _ => Err(expected()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn the_page_is_offered_only_with_a_token_and_off_where_the_table_is_left_out() {
        assert_eq!(Config::parse("").unwrap().console, None);
        let config =
            Config::parse("[console]\ntoken = \"env:PAGE\"\nurl = \"https://page.example:8443/\"\n").unwrap().console.unwrap();
        assert_eq!(config.token, TokenSource::Env("PAGE".to_owned()));
        assert_eq!(config.url, Some(ConsoleUrl { host: "page.example:8443".to_owned(), secure: true }));
        let problems = Config::parse("[console]\nurl = \"http://page.example/path\"\n").unwrap_err();
        let told: Vec<&str> = problems.iter().map(|(_, text)| text.as_str()).collect();
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told.iter().any(|text| text.contains("`token` is missing")), "{told:?}");
        assert!(told.iter().any(|text| text.contains("without a path")), "{told:?}");
    }

    #[test]
    fn an_address_has_a_host_and_nothing_after_it() {
        for text in [
            "",
            "page.example",
            "ftp://page.example",
            "https://page.example/x",
            "https://user@page.example",
            "https://page.example/?x",
        ] {
            assert!(address(text).is_err(), "{text}");
        }
        assert_eq!(address("http://127.0.0.1:8080"), Ok(ConsoleUrl { host: "127.0.0.1:8080".to_owned(), secure: false }));
        assert_eq!(address("https://page.example:443").unwrap().host, "page.example");
    }
}
