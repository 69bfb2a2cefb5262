//! The table `[discord]`.

use crate::config::reader::{self, Section};
use crate::config::{Config, Misplaced, PlatformConfig, TokenSource};
use crate::model::Place;

/// Where Discord's REST interface is, unless the configuration says otherwise.
pub const DISCORD_API: &str = "https://discord.com/api/v10";

/// Where Discord sends interactions.
pub const INTERACTIONS_PATH: &str = "/discord/interactions";

/// How Discord is spoken to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiscordConfig {
    /// How interactions come in.
    pub mode: DiscordMode,
    pub bot_token: TokenSource,
    pub application_id: u64,
    /// The key that interactions sent over HTTP are signed with; there in [`DiscordMode::Http`].
    pub public_key: Option<[u8; 32]>,
    /// A second one that is accepted as well, while one takes the other's place.
    pub next_public_key: Option<[u8; 32]>,
    /// The servers that get the slash command; empty means every server the bot is in.
    pub guilds: Vec<u64>,
    /// The base address of the REST interface, ending in `/api/v10`.
    pub api_url: String,
}

/// How interactions come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiscordMode {
    /// Over a connection the bot opens.
    Gateway,
    /// Over requests Discord sends to `/discord/interactions`.
    Http,
}

pub(super) fn read(root: &Section<'_>) -> Option<DiscordConfig> {
    let section = root.section("discord")?;
    let mode = section.get("mode", |value| reader::text(value).and_then(mode)).unwrap_or(DiscordMode::Gateway);
    let bot_token = section.get("bot_token", |value| TokenSource::parse(&reader::text(value)?));
    let application_id = section.get("application_id", |value| snowflake(&reader::text(value)?));
    let key = |name| section.get(name, |value| public_key(&reader::text(value)?));
    let (public_key, next_public_key) = (key("public_key"), key("next_public_key"));
    let guilds = section.get("guilds", |value| {
        reader::texts(value, |text| snowflake(&text).map(|_| text))?.iter().map(|text| snowflake(text)).collect()
    });
    let api_url = section.get("api_url", |value| api_url(&reader::text(value)?));
    let mut needed = vec![("bot_token", bot_token.is_some()), ("application_id", application_id.is_some())];
    if mode == DiscordMode::Http {
        needed.push(("public_key", public_key.is_some()));
    }
    for (key, _) in needed.into_iter().filter(|(key, there)| !there && !section.has(key)) {
        root.problem("discord", &format!("`{key}` is missing"));
    }
    section.finish();
    Some(DiscordConfig {
        mode,
        bot_token: bot_token?,
        application_id: application_id?,
        public_key,
        next_public_key,
        guilds: guilds.unwrap_or_default(),
        api_url: api_url.unwrap_or_else(|| DISCORD_API.to_owned()),
    })
}

impl PlatformConfig for DiscordConfig {
    fn misplaced(&self, place: &Place, _config: &Config) -> Vec<Misplaced> {
        let is_named = self.guilds.is_empty() || self.guilds.iter().any(|guild| guild.to_string() == place.workspace);
        let why = || "it is not among the servers of `discord.guilds`".to_owned();
        (!is_named).then(|| Misplaced::Workspace(why())).into_iter().collect()
    }

    fn called_at(&self) -> Option<&'static str> {
        (self.mode == DiscordMode::Http).then_some(INTERACTIONS_PATH)
    }
}

fn mode(text: String) -> Result<DiscordMode, String> {
    match text.as_str() {
        "gateway" => Ok(DiscordMode::Gateway),
        "http" => Ok(DiscordMode::Http),
        _ => Err(format!("expected \"gateway\" or \"http\", found {text:?}")),
    }
}

/// Source: Discord developer documentation, "Snowflakes": 64-bit numbers, written in decimal.
fn snowflake(text: &str) -> Result<u64, String> {
    let shaped = text.bytes().all(|byte| byte.is_ascii_digit());
    let id = text.parse().ok().filter(|id| *id > 0 && shaped);
    id.ok_or_else(|| format!("expected an id of Discord in quotes, such as \"81384788765712384\", found {text:?}"))
}

fn public_key(text: &str) -> Result<[u8; 32], String> {
    let expected = || "expected the application's public key: 64 hexadecimal digits".to_owned();
    if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(expected());
    }
    let mut key = [0; 32];
    for (at, byte) in key.iter_mut().enumerate() {
        let digits = text.get(2 * at..2 * at + 2).ok_or_else(expected)?;
        *byte = u8::from_str_radix(digits, 16).map_err(|_| expected())?;
    }
    Ok(key)
}

/// An origin alone, `…/api` and `…/api/v10` mean the same.
fn api_url(text: &str) -> Result<String, String> {
    let url = url::Url::parse(text).map_err(|_| format!("expected an address such as {DISCORD_API}, found {text:?}"))?;
    let plain = matches!(url.scheme(), "http" | "https") && url.query().is_none() && url.fragment().is_none();
    if !plain || url.host_str().is_none() || !url.username().is_empty() || url.password().is_some() {
        return Err(format!("expected an address without credentials or query, such as {DISCORD_API}"));
    }
    let base = text.trim_end_matches('/');
    let base = base.strip_suffix("/v10").unwrap_or(base);
    let base = base.strip_suffix("/api").unwrap_or(base);
    let version = base.rsplit('/').next().and_then(|last| last.strip_prefix('v'));
    if version.is_some_and(|number| number.parse::<u8>().is_ok()) {
        return Err("expected version 10 of the interface: …/api/v10".to_owned());
    }
    Ok(format!("{base}/api/v10"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::PLATFORMS;

    const KEY: &str = "67c6bd767ca099e79efac9fcce4d2022a63bf7dea780e7f3d813f694c1597089";

    fn problems(table: &str) -> Vec<(usize, String)> {
        Config::parse(&format!("[discord]\n{table}"), PLATFORMS).unwrap_err()
    }

    #[test]
    fn a_gateway_needs_a_token_and_an_application() {
        let text = "[discord]\nbot_token = \"env:T\"\napplication_id = \"42\"\n";
        let config = Config::parse(text, PLATFORMS).unwrap();
        let discord = config.platforms.of::<DiscordConfig>().unwrap();
        assert_eq!((discord.mode, discord.application_id, discord.public_key), (DiscordMode::Gateway, 42, None));
        assert_eq!(discord.api_url, DISCORD_API);
        let missing = problems("mode = \"http\"");
        let texts: Vec<&str> = missing.iter().map(|(_, text)| text.as_str()).collect();
        assert_eq!(
            texts,
            ["`discord`: `application_id` is missing", "`discord`: `bot_token` is missing", "`discord`: `public_key` is missing"]
        );
    }

    #[test]
    fn a_malformed_key_is_told_with_its_line_and_never_panics() {
        for key in [
            "",
            "67c6",
            KEY.get(1..).unwrap(),
            &KEY.replace('6', "g"),
            &format!("+{}", KEY.get(1..).unwrap()),
            &"é".repeat(32),
            &KEY.repeat(2),
        ] {
            let table = format!("mode = \"http\"\nbot_token = \"env:T\"\napplication_id = \"42\"\npublic_key = \"{key}\"\n");
            let expected = "`discord.public_key`: expected the application's public key: 64 hexadecimal digits";
            assert_eq!(problems(&table), [(5, expected.to_owned())], "{key}");
        }
        let mut key = [0; 32];
        key.copy_from_slice(&[0x67, 0xc6, 0xbd, 0x76].repeat(8));
        assert_eq!(public_key(&"67C6bd76".repeat(8)), Ok(key));
    }

    #[test]
    fn ids_are_decimal_numbers_in_quotes() {
        for (id, good) in [("81384788765712384", true), ("0", false), ("-1", false), ("+1", false), ("1e3", false), ("", false)] {
            assert_eq!(snowflake(id).is_ok(), good, "{id}");
        }
        let found = problems("bot_token = \"env:T\"\napplication_id = 42\nguilds = [\"1\", \"here\"]\n");
        assert_eq!(found.len(), 2, "{found:?}");
        assert_eq!((found[0].0, found[1].0), (3, 4));
    }

    #[test]
    fn the_base_address_may_be_written_in_three_ways() {
        for text in ["http://127.0.0.1:80", "http://127.0.0.1:80/", "http://127.0.0.1:80/api", "http://127.0.0.1:80/api/v10/"] {
            assert_eq!(api_url(text).as_deref(), Ok("http://127.0.0.1:80/api/v10"), "{text}");
        }
        assert_eq!(api_url("https://proxy.example/discord").as_deref(), Ok("https://proxy.example/discord/api/v10"));
        for text in ["", "discord.com", "ftp://x", "https://u:p@x", "https://x/?q", "https://x/api/v9"] {
            assert!(api_url(text).is_err(), "{text}");
        }
    }
}
