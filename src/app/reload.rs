//! SIGHUP: tokens are read anew.

use super::AppError;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// Tells whoever listens that tokens are to be read anew. Clones are the same.
#[derive(Debug, Clone)]
pub(super) struct Reload(watch::Sender<()>);

impl Reload {
    /// One that nobody asks for.
    pub(super) fn never() -> Reload {
        Reload(watch::Sender::new(()))
    }

    /// At each SIGHUP, which ends the process no more.
    pub(super) fn on_signal() -> Result<Reload, AppError> {
        let deaf = |error: std::io::Error| AppError::Ended { part: "the signals", why: error.to_string() };
        let mut hangup = signal(SignalKind::hangup()).map_err(deaf)?;
        let reload = Reload::never();
        let told = reload.0.clone();
        tokio::spawn(async move {
            while hangup.recv().await.is_some() {
                tracing::info!("SIGHUP: tokens are read anew");
                told.send_replace(());
            }
        });
        Ok(reload)
    }

    pub(super) fn listen(&self) -> watch::Receiver<()> {
        self.0.subscribe()
    }
}
