//! The page as one of the platforms: its table, its limits, how it is built and checked.

use super::config::{ConsoleConfig, read};
use super::name::NAME;
use super::screen::SCREEN;
use super::{Console, Settings, check, router};
use crate::chat::{Built, Checked, Intake, Limits, Manner, MessageHistory, PlatformKind, Surroundings};
use crate::config::{
    Config, MIN_TOKEN_LENGTH, PlatformConfig, PlatformTable, Reader, Section, TokenSource, UnreadTokens, beside, keep_renewed,
};
use crate::model::PlatformName;
use async_trait::async_trait;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// What it says of itself. It takes edits as fast as people can read them, keeps no messages itself, shows what was found
/// elsewhere too, and has no threads but the bot's.
pub(super) const LIMITS: Limits = Limits {
    screen: SCREEN,
    between_edits: Some(Duration::from_millis(200)),
    shows_the_store: true,
    shows_others: true,
    has_others_threads: false,
    ..Limits::usual("the page", Manner::Prompt)
};

/// The page.
pub struct Kind;

impl PlatformTable for Kind {
    fn name(&self) -> PlatformName {
        NAME
    }

    fn read(&self, _reader: &Reader<'_>, root: &Section<'_>) -> Option<Arc<dyn PlatformConfig>> {
        Some(Arc::new(read(root)?))
    }
}

#[async_trait]
impl PlatformKind for Kind {
    fn limits(&self) -> Limits {
        LIMITS
    }

    fn build(&self, around: &Surroundings<'_>) -> Result<Option<Built>, String> {
        let Some(offered) = around.config.platforms.of::<ConsoleConfig>() else { return Ok(None) };
        let token = match offered.token.fetch() {
            Ok(token) => token,
            Err(why) => {
                tracing::error!(why, "the web console is left out");
                return Ok(None);
            }
        };
        if !token.is_hard_to_guess() {
            let why = format!("fewer than {MIN_TOKEN_LENGTH} characters, or always the same ones");
            tracing::warn!(
                why,
                "the token of the web console could be guessed, so wrong ones also lock out who comes from the same address: make one with `openssl rand -hex 16`"
            );
        }
        let http = &around.config.http;
        let page = Console::new(Settings {
            hosts: offered.url.as_ref().map_or_else(|| hosts(http.listen), |url| vec![url.host.clone()]),
            token: Some(token),
            secure: offered.url.as_ref().map_or(http.tls.is_some(), |url| url.secure),
            path: offered.url.as_ref().map_or_else(String::new, |url| url.path.clone()),
            trusted_proxies: offered.trusted_proxies.clone(),
            note: None,
            examples: Vec::new(),
            cause_page: around.cause_page,
            new_id: around.new_id,
        });
        let cause_pages = offered.url.as_ref().map(|url| format!("{}/causes/", url.address()));
        let renewing = keep_renewed(around.reload.clone(), around.stop.clone(), renewed(&page, &offered.token));
        let built = built(page, Arc::clone(&around.intake), Arc::clone(&around.history), around.stop.clone());
        let (name, closing) = built.background;
        Ok(Some(Built { cause_pages, background: (name, Box::pin(beside(closing, renewing))), ..built }))
    }

    async fn check(&self, config: &Config) -> Vec<Checked> {
        check::check(config)
    }
}

/// Reads the page's token anew each time it is called. Where there is none, the one before stays.
fn renewed(page: &Arc<Console>, source: &TokenSource) -> impl Fn() + Send + Sync + 'static {
    let (page, source, unread) = (Arc::clone(page), source.clone(), UnreadTokens::default());
    move || match source.fetch() {
        Ok(token) => {
            unread.clear();
            if page.take_token(&token) {
                tracing::info!("the web console has a new token");
            }
        }
        Err(why) => unread.note(vec![why], |why| tracing::error!(why, "the token of the web console stays as it was")),
    }
}

/// What browsers call an address of this machine; without a port where the system is still to choose one.
pub(crate) fn hosts(address: SocketAddr) -> Vec<String> {
    let local = address.ip().is_loopback().then(|| format!("localhost:{}", address.port()));
    let hosts = std::iter::once(address.to_string()).chain(local);
    hosts.map(|host| host.strip_suffix(":0").map_or_else(|| host.clone(), str::to_owned)).collect()
}

/// A page with what belongs to it; its streams end when the intake closes, so that the server can end too.
pub(crate) fn built(
    page: Arc<Console>,
    intake: Arc<dyn Intake>,
    history: Arc<dyn MessageHistory>,
    stop: CancellationToken,
) -> Built {
    let router = router(Arc::clone(&page), intake, history);
    let one = Arc::clone(&page);
    let closing = async move {
        stop.cancelled().await;
        one.close();
        Ok(())
    };
    Built { platform: page, router: Some(router), background: ("the page", Box::pin(closing)), alive: None, cause_pages: None }
}
