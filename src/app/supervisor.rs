//! The parts that run beside each other, and the signals that end them.

use super::AppError;
use std::future::Future;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// A part that ended, and why.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) part: &'static str,
    pub(super) why: String,
}

/// Parts that never end by themselves while all is well.
#[derive(Debug, Default)]
pub(super) struct Supervisor {
    running: JoinSet<(&'static str, Result<(), String>)>,
    names: std::collections::HashMap<tokio::task::Id, &'static str>,
}

impl Supervisor {
    pub(super) fn add(&mut self, part: &'static str, future: impl Future<Output = Result<(), String>> + Send + 'static) {
        let task = self.running.spawn(async move { (part, future.await) });
        self.names.insert(task.id(), part);
    }

    /// Adds a part that knows no reason to end.
    pub(super) fn add_endless(&mut self, part: &'static str, future: impl Future<Output = ()> + Send + 'static) {
        self.add(part, async move {
            future.await;
            Ok(())
        });
    }

    /// Waits for the first that ends, whether it returns or panics.
    pub(super) async fn first_to_end(&mut self) -> Ended {
        match self.running.join_next().await {
            Some(Ok((part, Ok(())))) => Ended { part, why: "it returned".to_owned() },
            Some(Ok((part, Err(why)))) => Ended { part, why },
            Some(Err(error)) => {
                let part = self.names.get(&error.id()).copied().unwrap_or("a part");
                Ended { part, why: "it panicked".to_owned() }
            }
            None => std::future::pending().await,
        }
    }

    /// Waits until all have ended, and ends those that have not in time.
    pub(super) async fn rest(&mut self, patience: Duration) {
        let _ = tokio::time::timeout(patience, async { while self.running.join_next().await.is_some() {} }).await;
        self.running.shutdown().await;
    }
}

/// The signals that ask the process to end, one by one.
pub(super) fn signals() -> Result<mpsc::Receiver<()>, AppError> {
    let deaf = |error: std::io::Error| AppError::Ended { part: "the signals", why: error.to_string() };
    let mut terminate = signal(SignalKind::terminate()).map_err(deaf)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(deaf)?;
    let (sender, receiver) = mpsc::channel(2);
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            if sender.send(()).await.is_err() {
                return;
            }
        }
    });
    Ok(receiver)
}
