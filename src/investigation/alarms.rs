//! What an alarm comes to: a thread that begins, or goes on, or is only counted.
//!
//! Deciding takes turns, so that two alarms about one cause find each other; the work that follows does not. A decision is
//! kept with the story before anything is done about it, so that after a crash the same is done again.

mod given_up;
mod intake;
mod performing;
mod reconciling;
mod recovery;
mod storm;
mod words;

pub use intake::{AlarmIntake, Subscriber};

use super::perform::Undone;
use super::{Bot, Wish};
use crate::alarm::{self, Arrival, Decision, Found, Means, Scope, Silence, Standing, Story};
use crate::config::AlarmRoute;
use crate::model::{ActionKind, Alarm, AlarmState, Place, SecretRef};
use crate::store::{Choice, Claimed, Ending, Filed, NewThread, Newness, Stage, StoreError};
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How often an alarm that nothing explains is looked at again, while CloudTrail may not show the failed rotation yet.
const LOOK_AGAIN: Duration = Duration::from_secs(120);

/// For how long. CloudTrail shows most events within five minutes, and promises nothing.
const LOOK_FOR: SignedDuration = SignedDuration::from_mins(12);

/// Triggers of one story that are remembered while they are worked on.
const MOST_DOING: usize = 50;

/// An alarm that is worked on: where it is from, and where it is told.
struct Case<'a> {
    claimed: &'a Claimed,
    alarm: &'a Alarm,
    route: &'a AlarmRoute,
    choice: Choice,
    found: Found,
    /// The secrets it is about, by names that are the same for the same secret.
    secrets: BTreeMap<String, SecretRef>,
}

impl Case<'_> {
    fn place(&self) -> &Place {
        &self.route.place
    }

    fn names(&self) -> BTreeSet<String> {
        self.secrets.keys().cloned().collect()
    }

    fn is_critical(&self) -> bool {
        self.route.is_critical(&self.alarm.title, &self.alarm.key)
    }
}

impl Bot {
    /// Does what an alarm asks for.
    pub(super) async fn alarm(&self, claimed: &Claimed, alarm: &Alarm) -> Result<Ending, Undone> {
        let scope = Scope::of(&self.config, alarm).map_err(|_| Undone::Moot("the configuration no longer covers it"))?;
        if self.store.note_alarm(&alarm.key, alarm.state, alarm.state_at).await? == Newness::Outdated {
            return Err(Undone::Moot("a newer state of this alarm is known"));
        }
        let is_critical = scope.route.is_critical(&alarm.title, &alarm.key);
        if alarm.state == AlarmState::Alarm
            && !is_critical
            && let Some(end) = scope.route.quiet.as_ref().and_then(|quiet| quiet.end_of(self.store.now()))
        {
            return Err(Undone::Later(Duration::try_from(end.duration_since(self.store.now())).unwrap_or(LOOK_AGAIN)));
        }
        let choice = Choice { account: Some(scope.account.to_owned()), region: alarm.region.clone() };
        let mut case = Case { claimed, alarm, route: scope.route, choice, found: Found::nothing(), secrets: BTreeMap::new() };
        let mapped = self.config.alarms.mapped(&alarm.title, &alarm.key);
        case.found = match alarm::without_asking(alarm, mapped) {
            Some(found) => found,
            // What will only be counted is not looked up.
            None if self.is_storm_for(&case).await? => return self.count_in_storm(&case).await,
            None => self.ask_for_secrets(&case).await,
        };
        case.secrets = self.allowed_secrets(&mut case);
        let (decision, filed) = {
            let _turn = self.alarm_turn.lock().await;
            self.decide_about(&case).await?
        };
        match (decision, filed) {
            (Decision::Nothing(why), _) => Err(Undone::Moot(silence(why))),
            (Decision::Storm, _) => self.count_in_storm(&case).await,
            (Decision::Open, Some(filed)) => self.begin_thread(&case, &filed).await,
            (Decision::Fold(_), Some(filed)) => Ok(self.fold(&case, &filed)),
            (Decision::Tell(reason), Some(filed)) => self.tell(&case, &filed, &reason).await,
            (Decision::Recovered, Some(filed)) => self.recover(&case, filed).await,
            (_, None) => Err(Undone::Moot("its thread is gone")),
        }
    }

    async fn ask_for_secrets(&self, case: &Case<'_>) -> Found {
        let purpose = SecretRef::Name(String::from("alarm"));
        match self.accounts.connect(&case.choice, &purpose).await {
            Ok(connected) => alarm::by_asking(case.alarm, &connected.aws, &connected.clock).await,
            Err(error) => {
                let tried = vec![format!("AWS cannot be asked: {error}")];
                Found { secrets: Vec::new(), by: Means::Nothing, tried }
            }
        }
    }

    /// The secrets that may be looked into and told of there; what may not is only counted.
    fn allowed_secrets(&self, case: &mut Case<'_>) -> BTreeMap<String, SecretRef> {
        let mut allowed = BTreeMap::new();
        let mut left_out = 0;
        for secret in &case.found.secrets {
            let wish = Wish {
                action: ActionKind::Investigate,
                secret,
                account: case.choice.account.as_deref(),
                region: &case.choice.region,
            };
            if alarm::may_be_asked(&self.config, case.alarm, secret) && self.rights.allow_unasked(case.place(), &wish) {
                allowed.insert(identity(case.alarm, secret), secret.clone());
            } else {
                left_out += 1;
            }
        }
        if left_out > 0 {
            case.found.tried.push(format!("{left_out} of the secrets it is about may not be told of here"));
        }
        allowed
    }

    /// Decides by what is known, and keeps the decision. The story is `None` where there is none.
    async fn decide_about(&self, case: &Case<'_>) -> Result<(Decision, Option<Filed<Story>>), StoreError> {
        let now = self.store.now();
        let number = case.claimed.ticket.number();
        let names = case.names();
        let keys: Vec<String> = std::iter::once(case.alarm.key.clone()).chain(names.iter().cloned()).collect();
        let known: Option<Filed<Story>> = self.store.story_of(case.place(), &keys).await?;
        if let Some(filed) = &known
            && let Some(decision) = filed.story.doing.get(&number)
        {
            return Ok((decision.clone(), known));
        }
        let arrival = Arrival { alarm: case.alarm, secrets: &names };
        let mut is_running = false;
        let mut known = known;
        if let Some(filed) = &mut known {
            let investigations = self.store.investigations_of(&filed.thread).await?;
            is_running = investigations.iter().any(|one| one.stage == Stage::Running);
            let closed: Option<Vec<Timestamp>> =
                investigations.iter().map(|one| one.resolved.as_ref().map(|(_, at)| *at)).collect();
            let closed = closed.and_then(|times| times.into_iter().max());
            filed.story.ended_at = filed.story.ended_at.or(closed);
        }
        let standing = Standing { now, is_running, opened: self.threads_of_late(case).await? };
        let decision = alarm::decide(known.as_ref().map(|filed| &filed.story), &arrival, standing);
        let filed = match (&decision, known) {
            (Decision::Open, _) => {
                let thread = case.claimed.subject.clone();
                let place = Place { thread: None, ..case.place().clone() };
                let opened = NewThread { id: thread.clone(), place: place.clone(), alarm: None };
                self.store.open_thread(&opened, &[]).await?;
                Some(Filed { thread, place, story: Story::beginning_with(&arrival, now) })
            }
            (Decision::Storm, _) | (_, None) => None,
            (_, Some(mut filed)) => {
                filed.story.note(&arrival, &decision, now);
                Some(filed)
            }
        };
        let mut filed = filed;
        if let Some(filed) = &mut filed {
            if matches!(decision, Decision::Open | Decision::Tell(_) | Decision::Recovered) {
                filed.story.doing.insert(number, decision.clone());
                while filed.story.doing.len() > MOST_DOING {
                    filed.story.doing.pop_first();
                }
            }
            self.store.file_story(&filed.thread, &keys, &filed.story).await?;
        }
        Ok((decision, filed))
    }
}

/// One name per secret, whether it is named or given by its ARN.
fn identity(alarm: &Alarm, secret: &SecretRef) -> String {
    let name = match secret {
        SecretRef::Name(name) => name,
        SecretRef::Arn(arn) => arn.name(),
    };
    format!("secret:{}/{}/{name}", alarm.account_id, alarm.region)
}

/// A secret's name, for people.
fn name_of(secret: &SecretRef) -> &str {
    match secret {
        SecretRef::Name(name) => name,
        SecretRef::Arn(arn) => arn.name(),
    }
}

const fn silence(why: Silence) -> &'static str {
    match why {
        Silence::Outdated => "a newer state of this alarm is known",
        Silence::Known => "this change was told already",
        Silence::Well => "it is well, and no thread says otherwise",
        Silence::TooLittleData => "too little data is no trouble",
    }
}
