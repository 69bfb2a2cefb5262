//! Tokens: the configuration says where they are; they never stand in it.

use crate::redact;
use secrecy::{ExposeSecret, SecretString};
use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// The largest token that is read, in bytes.
const MAX_BYTES: u64 = 16 << 10;

/// How many characters a token of our own must have so that nobody guesses it.
pub const MIN_LENGTH: usize = 20;
/// How many of them must differ.
const MIN_DISTINCT: usize = 8;

/// Where a token is: `env:NAME` or `file:PATH`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenSource {
    Env(String),
    /// A file that holds nothing else.
    File(PathBuf),
}

impl TokenSource {
    /// Reads `env:NAME` or `file:PATH`.
    ///
    /// # Errors
    /// What is expected, without repeating what was written: it may be a token.
    pub fn parse(text: &str) -> Result<TokenSource, String> {
        let expected = || "say where the token is, as \"env:NAME\" or \"file:/path\"; tokens do not belong in this file";
        match text.split_once(':') {
            Some(("env", name)) if !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') => {
                Ok(TokenSource::Env(name.to_owned()))
            }
            Some(("file", path)) if !path.is_empty() => Ok(TokenSource::File(PathBuf::from(path))),
            _ => Err(expected().to_owned()),
        }
    }

    /// Fetches the token.
    ///
    /// # Errors
    /// Where it is missing, empty or unreadable, in one sentence that names the place.
    pub fn fetch(&self) -> Result<Token, String> {
        let text = match self {
            TokenSource::Env(name) => std::env::var(name).map_err(|_| format!("the environment variable {name} is not set"))?,
            TokenSource::File(path) => read(path)?,
        };
        match text.trim() {
            "" => Err(format!("{self} is empty")),
            token => Ok(Token::new(token)),
        }
    }

    /// True for a file that others on this machine can read.
    #[must_use]
    pub fn is_readable_by_all(&self) -> bool {
        use std::os::unix::fs::PermissionsExt as _;
        let TokenSource::File(path) = self else { return false };
        std::fs::metadata(path).is_ok_and(|meta| meta.permissions().mode() & 0o004 != 0)
    }
}

fn read(path: &Path) -> Result<String, String> {
    let unreadable = |error: std::io::Error| format!("the token file {} cannot be read: {error}", path.display());
    if std::fs::metadata(path).map_err(unreadable)?.len() > MAX_BYTES {
        return Err(format!("the token file {} is larger than {MAX_BYTES} bytes", path.display()));
    }
    std::fs::read_to_string(path).map_err(unreadable)
}

impl fmt::Display for TokenSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TokenSource::Env(name) => write!(f, "the environment variable {name}"),
            TokenSource::File(path) => write!(f, "the token file {}", path.display()),
        }
    }
}

/// A token. Nothing prints it, and redaction masks it wherever it occurs.
#[derive(Debug, Clone)]
pub struct Token(SecretString);

impl Token {
    /// A token that is at hand already, such as a fake platform's.
    #[must_use]
    pub fn new(text: &str) -> Token {
        redact::hold(text);
        Token(SecretString::from(text))
    }

    /// The token itself, for the request that needs it.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// True when nobody gets to it by guessing, however fast: it is long, and no repetition of few characters. What
    /// `openssl rand -hex 16` makes has 32 characters, at least 8 of which differ but once in ten million times.
    #[must_use]
    pub fn is_hard_to_guess(&self) -> bool {
        let distinct: BTreeSet<char> = self.expose().chars().collect();
        self.expose().chars().count() >= MIN_LENGTH && distinct.len() >= MIN_DISTINCT
    }
}

/// Tokens of one use that may be replaced while the process runs: the one that is sent, and where others are accepted beside it,
/// those after it. Clones are the same.
#[derive(Debug, Clone)]
pub struct LiveToken(Arc<watch::Sender<Vec<Token>>>);

impl LiveToken {
    /// This one, and others that are accepted as well.
    #[must_use]
    pub fn new(token: Token, others: impl IntoIterator<Item = Token>) -> LiveToken {
        LiveToken(Arc::new(watch::Sender::new([token].into_iter().chain(others).collect())))
    }

    /// The one that is sent.
    #[must_use]
    pub fn current(&self) -> Token {
        // There is always one.
        self.0.borrow().first().cloned().unwrap_or_else(|| Token(SecretString::from("")))
    }

    /// All that are accepted.
    #[must_use]
    pub fn all(&self) -> Vec<Token> {
        self.0.borrow().clone()
    }

    /// Takes others in their place; true where they are others.
    pub fn replace(&self, token: Token, others: impl IntoIterator<Item = Token>) -> bool {
        let new: Vec<Token> = [token].into_iter().chain(others).collect();
        self.0.send_if_modified(|old| {
            let is_new = old.iter().map(Token::expose).ne(new.iter().map(Token::expose));
            if is_new {
                *old = new;
            }
            is_new
        })
    }

    /// Becomes ready when they were replaced.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<Vec<Token>> {
        self.0.subscribe()
    }
}

/// Why tokens could not be read anew the last time, which is told once.
#[derive(Debug, Default)]
pub struct UnreadTokens(Mutex<Vec<String>>);

impl UnreadTokens {
    /// They could be read.
    pub fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Has each of `problems` told, unless they are those of the last time.
    pub fn note(&self, problems: Vec<String>, tell: impl Fn(&str)) {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if *told != problems {
            problems.iter().for_each(|why| tell(why));
            *told = problems;
        }
    }
}

/// How often tokens are read anew though nobody said so: a file that was replaced is noticed by itself.
const EVERY: Duration = Duration::from_secs(10);

/// Has tokens read anew by `renew` at each change of `reload` and from time to time, until `stop`.
pub async fn keep_renewed<F: Fn() + Send + Sync + 'static>(mut reload: watch::Receiver<()>, stop: CancellationToken, renew: F) {
    let renew = Arc::new(renew);
    loop {
        let told = async {
            if reload.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            () = stop.cancelled() => return,
            _ = tokio::time::timeout(EVERY, told) => {}
        }
        let renew = Arc::clone(&renew);
        // A disk that hangs keeps nobody else waiting.
        let _ = tokio::task::spawn_blocking(move || renew()).await;
    }
}

/// Ends as `work` does, whatever becomes of `renewing`.
pub async fn beside<T>(work: impl Future<Output = T>, renewing: impl Future<Output = ()>) -> T {
    let renewing = async {
        renewing.await;
        std::future::pending().await
    };
    tokio::select! {
        ended = work => ended,
        never = renewing => never,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::{Redactor, SafeText};
    use std::io::Write as _;

    #[test]
    fn a_token_in_the_configuration_is_refused_without_repeating_it() {
        let error = TokenSource::parse("xoxb-1234567890-secret").unwrap_err();
        assert!(!error.contains("xoxb"), "{error}");
        assert_eq!(TokenSource::parse("env:SLACK_BOT_TOKEN"), Ok(TokenSource::Env("SLACK_BOT_TOKEN".to_owned())));
        for text in ["", "env:", "env:A B", "file:", "https://x"] {
            assert!(TokenSource::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_token_is_read_from_its_file_and_never_shown() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        writeln!(file, "xoxb-very-secret").unwrap();
        let token = TokenSource::File(file.path().to_owned()).fetch().unwrap();
        assert_eq!(token.expose(), "xoxb-very-secret");
        assert!(!format!("{token:?}").contains("secret-"), "{token:?}");
        assert!(!format!("{token:?}").contains("xoxb"), "{token:?}");
    }

    #[test]
    fn a_token_that_looks_like_nothing_is_masked_wherever_it_occurs_from_the_moment_it_is_read() {
        // No shape tells what it is: a signing secret, or a word of the page's operator.
        let text = "quiet-harbour-lantern";
        let said = format!("the peer said: quiet\u{ad}-harbour-lantern; again {text}.");
        assert!(SafeText::redact(&said).as_str().contains(text), "it cannot be told from words before");
        let mut file = tempfile::NamedTempFile::new().unwrap();
        writeln!(file, "{text}").unwrap();
        TokenSource::File(file.path().to_owned()).fetch().unwrap();
        assert_eq!(SafeText::redact(&said).as_str(), "the peer said: [hidden: known secret]; again [hidden: known secret].");
        let mut document = serde_json::json!({"line": [said]});
        assert_eq!(Redactor::default().redact_json(&mut document), 2);
        assert_eq!(Redactor::default().redact(text).count, 1);
    }

    #[test]
    fn a_token_is_hard_to_guess_when_it_is_long_and_varied() {
        for (text, is_hard) in [
            ("open sesame", false),
            ("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false),
            ("1234512345123451234512345", false),
            ("3c6e0b8a9c15224a8228b9a98ca1531d", true),
            ("correct horse battery staple", true),
        ] {
            assert_eq!(Token::new(text).is_hard_to_guess(), is_hard, "{text}");
        }
    }

    #[test]
    fn tokens_that_are_the_same_replace_nothing_and_others_are_told() {
        let live = LiveToken::new(Token::new("first-token-of-all"), None);
        let mut changes = live.changes();
        assert!(!live.replace(Token::new("first-token-of-all"), None) && !changes.has_changed().unwrap());
        assert!(live.clone().replace(Token::new("second-token-of-all"), Some(Token::new("first-token-of-all"))));
        assert!(changes.has_changed().unwrap());
        assert_eq!(live.current().expose(), "second-token-of-all");
        assert_eq!(live.all().iter().map(Token::expose).collect::<Vec<_>>(), ["second-token-of-all", "first-token-of-all"]);
        changes.mark_unchanged();
        assert!(live.replace(Token::new("second-token-of-all"), None) && changes.has_changed().unwrap());
    }

    #[test]
    fn an_empty_or_missing_token_names_its_place() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert!(TokenSource::File(file.path().to_owned()).fetch().unwrap_err().ends_with("is empty"));
        let missing = TokenSource::Env("ROTATION_DIAG_NO_SUCH_TOKEN".to_owned());
        assert_eq!(missing.fetch().unwrap_err(), "the environment variable ROTATION_DIAG_NO_SUCH_TOKEN is not set");
    }
}
