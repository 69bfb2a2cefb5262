//! The connection that Discord tells us over what people do: opened by us, kept alive, resumed, never hammered.
//!
//! No library's connection keeps what is promised here. Serenity's breaks off where an interaction lacks a field it wants,
//! resumes at the first address, and is built only with all of its own requests. `twilight-gateway` 0.18 was tried:
//!
//! - it reads messages of any size (`Limits::unlimited`, which nothing can set): here 16 MiB are the most;
//! - it panics where Discord greets with a heartbeat interval of 0 (`tokio::time::interval_at`), and where the address to
//!   resume at is none (`ClientBuilder::uri(..).expect`): here the first is bounded and the second an error;
//! - it takes any event for the answer to a heartbeat, so that a connection that hears nothing of us lives on: here only the
//!   answer counts;
//! - a connection that went dead is dropped without a word: here it is closed with 4000, which keeps its session.

mod connection;
mod ending;

pub use ending::GatewayError;

use super::Discord;
use super::code;
use super::command;
use super::interaction::Interaction;
use super::listener::{Listener, Written, ephemeral_answer};
use super::rest::{Call, RestFailure};
use super::route::Route;
use super::snowflake::Snowflake;
use crate::backoff::Backoff;
use crate::clock::{Stopwatch, deadline};
use crate::config::Token;
use connection::Connection;
use ending::End;
use serde::Deserialize;
use serde_json::Value;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

/// The first wait between two attempts to connect; it doubles with each.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// The longest one.
const MAX_WAIT: Duration = Duration::from_secs(60);
/// The least time between two sessions.
///
/// Source: Discord developer documentation, "Gateway", rate limiting: one session within five seconds.
const BETWEEN_SESSIONS: Duration = Duration::from_secs(5);
/// How long a connection has to last until its end counts as the first failure: one that keeps ending at once is not
/// opened again at once.
const STABLE: Duration = Duration::from_secs(10);
/// How often resuming a session is tried; the address to resume at may be gone with its machine.
const TRIES: u32 = 3;
/// How long the first answer to an interaction may take.
///
/// Source: Discord developer documentation, "Receiving and Responding": three seconds, the way here included.
const ANSWERING: Duration = Duration::from_millis(2_500);

/// A session that can be resumed.
#[derive(Debug, Clone)]
struct Session {
    id: String,
    resume_at: String,
    seen: u64,
    me: Snowflake,
    /// How often resuming it was tried since it last worked.
    tries: u32,
}

/// Where the gateway is, and how many sessions we may still begin.
#[derive(Debug, Deserialize)]
struct Address {
    url: String,
    session_start_limit: Budget,
}

/// Source: Discord developer documentation, "Session Start Limit Object".
#[derive(Debug, Clone, Copy, Deserialize)]
struct Budget {
    total: u64,
    remaining: u64,
    /// Milliseconds.
    reset_after: u64,
}

impl Budget {
    /// How long to wait before the next session. Below half of the budget the rest is spread over the time until it is
    /// full again, so that even a process that restarts forever never uses it up; Discord keeps the count, so a restart
    /// forgets nothing.
    fn pause(self) -> Duration {
        let until_full = Duration::from_millis(self.reset_after);
        match self.remaining {
            0 => until_full,
            remaining if remaining.saturating_mul(2) >= self.total => Duration::ZERO,
            remaining => until_full.div_f64(remaining as f64),
        }
    }
}

impl Discord {
    /// Listens until `stop`; connections that end are opened again.
    ///
    /// # Errors
    /// [`GatewayError`] where trying again would not help.
    pub(super) async fn listen(&self, listener: &Listener, stop: &CancellationToken) -> Result<(), GatewayError> {
        let mut session: Option<Session> = None;
        let mut backoff = Backoff::new(FIRST_WAIT, MAX_WAIT);
        let mut wait = Duration::ZERO;
        let mut next_session = deadline(Duration::ZERO);
        loop {
            let tried = self.token.current();
            if let Some(session) = session.as_mut() {
                session.tries += 1;
            }
            let attempt = async {
                self.pauses.wait(wait).await;
                let address = self.address(session.as_ref(), &mut next_session).await?;
                Ok(Connection::open(&address, self.is_encrypted).await)
            };
            let opened = tokio::select! {
                () = stop.cancelled() => return Ok(()),
                opened = attempt => opened,
            };
            let mut was_stable = false;
            let end = match opened {
                Err(end) => end,
                Ok(Err(why)) => {
                    tracing::warn!("the gateway of Discord could not be reached: {why}");
                    End::Broken
                }
                Ok(Ok(connection)) => {
                    let lasted = Stopwatch::start();
                    let end = self.converse(connection, &mut session, listener, stop).await;
                    was_stable = lasted.elapsed() > STABLE;
                    end
                }
            };
            self.pulse.lost();
            wait = if was_stable { Duration::ZERO } else { backoff.next_wait() };
            if was_stable {
                backoff.reset();
            }
            match end {
                End::Stopped => return Ok(()),
                End::Final(GatewayError::TokenRefused) if self.has_another_token_than(&tried) => {
                    session = None;
                    wait = Duration::ZERO;
                }
                End::Final(error) => {
                    self.pulse.stopped();
                    return Err(error);
                }
                End::SessionOver => session = None,
                End::Broken => session = session.filter(|session| session.tries < TRIES),
            }
        }
    }

    /// True where there is another token by now than `tried`.
    fn has_another_token_than(&self, tried: &Token) -> bool {
        self.renew_token();
        self.token.current().expose() != tried.expose()
    }

    /// Where to connect: to resume, where the session says; else where Discord says, once we may begin a session.
    async fn address(&self, session: Option<&Session>, next_session: &mut Instant) -> Result<String, End> {
        if let Some(session) = session {
            return Ok(session.resume_at.clone());
        }
        let found = self.rest.send(Call::get(Route::Gateway)).await;
        let address: Result<Address, RestFailure> =
            found.and_then(|found| serde_json::from_value(found).map_err(|_| RestFailure::Lost("the answer could not be read")));
        let address = match address {
            Ok(address) => address,
            Err(RestFailure::TokenRefused) => return Err(End::Final(GatewayError::TokenRefused)),
            Err(failure) => {
                tracing::warn!("Discord did not say where its gateway is: {}", command::why(&failure));
                return Err(End::Broken);
            }
        };
        let pause = address.session_start_limit.pause();
        if !pause.is_zero() {
            let left = address.session_start_limit.remaining;
            tracing::warn!("only {left} sessions may still be begun with Discord: waiting {} s", pause.as_secs());
            self.pauses.wait(pause).await;
        }
        self.pauses.until(*next_session).await;
        *next_session = deadline(BETWEEN_SESSIONS);
        Ok(address.url)
    }

    async fn converse(
        &self,
        mut connection: Connection,
        session: &mut Option<Session>,
        listener: &Listener,
        stop: &CancellationToken,
    ) -> End {
        let mut renewed = self.token.changes();
        let token = self.token.current();
        let begun = match session.as_ref() {
            Some(session) => connection.resume(token.expose(), &session.id, session.seen).await,
            None => connection.identify(token.expose()).await,
        };
        if let Err(end) = begun {
            return end;
        }
        loop {
            let dispatch = tokio::select! {
                next = connection.next(&self.pulse, stop) => match next {
                    Ok(dispatch) => dispatch,
                    Err(end) => return end,
                },
                // A session is of the token that began it.
                Ok(()) = renewed.changed() => {
                    connection.leave().await;
                    return End::SessionOver;
                }
            };
            match dispatch.name.as_str() {
                "READY" => match Ready::read(dispatch.body) {
                    Some(ready) => {
                        connection.beats(&self.pulse);
                        tracing::info!("connected to Discord");
                        *session = Some(Session {
                            id: ready.session_id,
                            resume_at: ready.resume_gateway_url,
                            seen: dispatch.number,
                            me: ready.user.id,
                            tries: 0,
                        });
                    }
                    None => return End::SessionOver,
                },
                "RESUMED" => {
                    connection.beats(&self.pulse);
                    if let Some(session) = session.as_mut() {
                        session.tries = 0;
                    }
                }
                "GUILD_CREATE"
                | "GUILD_ROLE_UPDATE"
                | "GUILD_MEMBER_UPDATE"
                | "CHANNEL_CREATE"
                | "CHANNEL_UPDATE"
                | "THREAD_CREATE"
                | "THREAD_MEMBERS_UPDATE" => self.may_be_let_in(),
                "INTERACTION_CREATE" => self.take_interaction(dispatch.body, listener),
                "MESSAGE_CREATE" => {
                    if let (Ok(written), Some(session)) = (serde_json::from_value::<Written>(dispatch.body), session.as_ref()) {
                        let (listener, me) = (listener.clone(), session.me);
                        tokio::spawn(async move { listener.read(written, me).await });
                    }
                }
                _ => {}
            }
            if let Some(session) = session.as_mut() {
                session.seen = dispatch.number;
            }
        }
    }

    fn take_interaction(&self, body: Value, listener: &Listener) {
        let Ok(interaction) = serde_json::from_value::<Interaction>(body) else {
            tracing::warn!("an interaction was passed over: it could not be read");
            return;
        };
        let (listener, rest) = (listener.clone(), Arc::clone(&self.rest));
        tokio::spawn(async move {
            let (id, token) = (interaction.id, interaction.token.clone());
            let answer = listener.answer(interaction).await;
            let route = Route::InteractionResponse { interaction: id, token: &token.0 };
            let (until, mut answer) = (deadline(ANSWERING), answer);
            for refusals in 0_u32.. {
                let left = until.saturating_duration_since(deadline(Duration::ZERO));
                match rest.send(Call::post(route, &answer).within(left)).await {
                    // The first answer is taken once: a second one is refused as such.
                    Ok(_) | Err(RestFailure::Refused { code: code::ALREADY_ANSWERED, .. }) => return,
                    Err(failure) if left > RETRY => {
                        if failure.refusal().is_some() && refusals > 0 && answer.is_message() {
                            answer = ephemeral_answer("Discord refuses to show my answer here");
                        }
                        sleep(RETRY).await;
                    }
                    Err(failure) => {
                        let why = command::why(&failure);
                        tracing::warn!("an interaction could not be acknowledged: {why}; what it began goes on in the channel");
                        return;
                    }
                }
            }
        });
    }

    /// The bot may see or do more than before.
    pub(super) fn may_be_let_in(&self) {
        self.text_alone.clear();
        self.roles.clear();
        self.doors.send_replace(());
    }
}

/// How long to wait before a first answer is given again.
const RETRY: Duration = Duration::from_millis(250);

/// The part of READY that matters.
#[derive(Deserialize)]
struct Ready {
    session_id: String,
    resume_gateway_url: String,
    user: Me,
}

#[derive(Deserialize)]
struct Me {
    id: Snowflake,
}

impl Ready {
    fn read(body: Value) -> Option<Ready> {
        serde_json::from_value(body).ok()
    }
}

/// A number from 0 to 1.
fn chance() -> f64 {
    let number = RandomState::new().build_hasher().finish();
    (number >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_restarts_forever_never_uses_up_its_sessions() {
        let day = 86_400_000;
        let pause = |remaining| Budget { total: 1_000, remaining, reset_after: day }.pause().as_secs();
        assert_eq!([1_000, 500, 100, 1, 0].map(pause), [0, 0, 864, 86_400, 86_400]);
        let mut budget = Budget { total: 1_000, remaining: 1_000, reset_after: day };
        while budget.reset_after > 0 {
            assert!(budget.remaining > 0, "used up with {} ms to go", budget.reset_after);
            // A crash loop: five seconds from start to start, besides the pause.
            let passed = 5_000 + u64::try_from(budget.pause().as_millis()).unwrap();
            budget = Budget { remaining: budget.remaining - 1, reset_after: budget.reset_after.saturating_sub(passed), ..budget };
        }
    }
}
