//! Rotation attempts: one declaration becomes CloudTrail events, invocations, metrics and staging labels that agree.

use super::invocation::FunctionRun;
use super::names::{NameTable, role_name};
use super::trail::{TrailActor, TrailCall, api_event, rotation_event};
use crate::model::RotationStep;
use crate::simulator::declaration::{
    EndingForm, EventShape, FunctionForm, RotationForm, RotationOutcome, RotationState, RunForm, SecretForm,
};
use crate::simulator::ids;
use crate::simulator::world::{SimulatedTrailEvent, Version};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// One attempt to rotate one secret.
pub(super) struct RotationAttempt<'a> {
    pub(super) at: Timestamp,
    pub(super) outcome: RotationOutcome,
    pub(super) version: String,
    form: Option<&'a RotationForm>,
}

/// The attempts of one secret, oldest first.
pub(super) struct History<'a> {
    pub(super) secret: &'a SecretForm,
    pub(super) attempts: Vec<RotationAttempt<'a>>,
    pub(super) last_rotated: Option<Timestamp>,
    pub(super) next: Option<Timestamp>,
    pub(super) created: Timestamp,
}

/// How long CloudTrail's event history goes back.
const EVENT_HISTORY: SignedDuration = SignedDuration::from_hours(90 * 24);

impl<'a> History<'a> {
    pub(super) fn of(names: &NameTable<'a>, secret: &'a SecretForm) -> Result<Self, String> {
        let mut attempts = Vec::new();
        for form in &names.scenario.rotations {
            if names.secret(form.secret.as_ref())?.name != secret.name {
                continue;
            }
            for at in names.series(&form.at, form.every, form.count)? {
                let version = form.version.clone().unwrap_or_default();
                attempts.push(RotationAttempt { at, outcome: form.outcome, version, form: Some(form) });
            }
        }
        attempts.sort_by_key(|attempt| attempt.at);
        let created =
            names.maybe_time(secret.created.as_ref())?.unwrap_or_else(|| back(names.now, SignedDuration::from_hours(400 * 24)));
        let declared = |outcome: RotationOutcome| {
            attempts.iter().filter(move |attempt| attempt.outcome == outcome).map(|attempt| attempt.at)
        };
        let rotates = secret.rotation.state != RotationState::Never;
        let period = period(secret);
        let explicit = names.maybe_time(secret.last_rotated.as_ref())?;
        let succeeded = declared(RotationOutcome::Succeeded).next_back();
        let last_rotated = match (explicit, succeeded, declared(RotationOutcome::Failed).next()) {
            (Some(at), _, _) => Some(at),
            (None, Some(at), _) => Some(at),
            (None, None, Some(first_failure)) if secret.history => Some(back(first_failure, period)),
            (None, None, None) if secret.history && rotates && secret.primary_region.is_none() => {
                Some(back(names.now, period / 5))
            }
            _ => None,
        };
        if let (Some(last), None, true, true) = (last_rotated, succeeded, secret.history, rotates) {
            let mut at = last;
            while at > created && names.now.duration_since(at) < EVENT_HISTORY {
                attempts.push(RotationAttempt { at, outcome: RotationOutcome::Succeeded, version: String::new(), form: None });
                at = back(at, period);
            }
            attempts.sort_by_key(|attempt| attempt.at);
        }
        name_versions(&secret.name, &mut attempts);
        let next = match names.maybe_time(secret.next.as_ref())? {
            Some(next) => Some(next),
            None if secret.rotation.state == RotationState::On => last_rotated.and_then(|last| last.checked_add(period).ok()),
            None => None,
        };
        Ok(History { secret, attempts, last_rotated, next, created })
    }

    /// The versions that follow from the attempts; those that lost every label are deprecated and left out.
    pub(super) fn versions(&self) -> Vec<Version> {
        let mut succeeded: Vec<(String, Timestamp)> =
            vec![(ids::uuid(&format!("version/{}/first", self.secret.name)), self.created)];
        let mut pending: Option<(String, Timestamp)> = None;
        for attempt in &self.attempts {
            if attempt.outcome == RotationOutcome::Succeeded {
                succeeded.push((attempt.version.clone(), attempt.at));
                pending = None;
            } else if attempt.leaves_pending() && pending.is_none() {
                pending = Some((attempt.version.clone(), attempt.at));
            }
        }
        let label = |version: Option<(String, Timestamp)>, stage: &str| {
            version.map(|(id, created)| Version { id, stages: vec![stage.to_owned()], created })
        };
        let current = succeeded.pop();
        let previous = succeeded.pop();
        [label(current, "AWSCURRENT"), label(previous, "AWSPREVIOUS"), label(pending, "AWSPENDING")]
            .into_iter()
            .flatten()
            .collect()
    }
}

impl RotationAttempt<'_> {
    fn leaves_pending(&self) -> bool {
        self.form
            .and_then(|form| form.pending)
            .unwrap_or(matches!(self.outcome, RotationOutcome::Failed | RotationOutcome::Running))
    }

    /// The records and invocations the attempt leaves behind.
    pub(super) fn evidence<'f>(
        &self,
        names: &'f NameTable<'_>,
        secret: &SecretForm,
        events: &mut Vec<SimulatedTrailEvent>,
        invocations: &mut Vec<FunctionRun<'f>>,
    ) -> Result<(), String> {
        let function = names.function_of(secret)?;
        let secret_arn = names.secret_arn(secret);
        let region = names.region(secret.region.as_ref()).to_owned();
        let record = self.form.is_none_or(|form| form.events);
        let shape = self.form.map_or(EventShape::default(), |form| form.shape);
        let service_event = |name: &str, at: Timestamp, error: Option<&str>| {
            rotation_event(names.account(), &region, at, name, (&secret_arn, &self.version), error, shape)
        };
        if record {
            events.push(service_event("RotationStarted", self.at, None));
        }
        let mut now = later(self.at, SignedDuration::from_secs(2));
        for _ in 0..self.form.map_or(1, |form| form.tries) {
            if let Some(function) = function {
                now = self.invoke_steps(names, secret, function, now, record, events, invocations)?;
            }
        }
        let ended = match self.outcome {
            RotationOutcome::Succeeded => ("RotationSucceeded", None),
            RotationOutcome::Failed => ("RotationFailed", Some(self.error(names, secret, function)?)),
            RotationOutcome::Abandoned => ("RotationAbandoned", Some(self.error(names, secret, function)?)),
            RotationOutcome::Running => return Ok(()),
        };
        if record {
            events.push(service_event(ended.0, later(now, SignedDuration::from_secs(1)), ended.1.as_deref()));
        }
        Ok(())
    }

    /// The event's error message.
    fn error(&self, names: &NameTable<'_>, secret: &SecretForm, function: Option<&FunctionForm>) -> Result<String, String> {
        if let Some(message) = self.form.and_then(|form| form.message.as_ref()) {
            return names.fill(message, &self.context(names, secret, function));
        }
        Ok(match (self.outcome, function) {
            (RotationOutcome::Abandoned, _) => format!("Secret version {} was changed during rotation", self.version),
            (_, Some(function)) => {
                format!("Error when executing lambda {} during {} step", names.function_arn(function), self.stops_in())
            }
            (_, None) => "Rotation failed".into(),
        })
    }

    /// What the placeholders in the attempt's texts stand for.
    fn context(
        &self,
        names: &NameTable<'_>,
        secret: &SecretForm,
        function: Option<&FunctionForm>,
    ) -> Vec<(&'static str, String)> {
        let mut context =
            vec![("secret", secret.name.clone()), ("secret_arn", names.secret_arn(secret)), ("version", self.version.clone())];
        if let Some(function) = function {
            context.extend([
                ("function", function.name.clone()),
                ("function_arn", names.function_arn(function)),
                ("role", role_name(function)),
                ("role_arn", names.role_arn(&role_name(function))),
                ("session_arn", names.session_arn(function)),
            ]);
        }
        context
    }

    /// The step that failed, or that a running attempt has not begun; of a success, the one that `run` is about.
    fn stops_in(&self) -> RotationStep {
        self.form.and_then(|form| form.step).unwrap_or(RotationStep::CreateSecret)
    }

    #[expect(clippy::too_many_arguments, reason = "two of them are the lists the evidence is added to")]
    fn invoke_steps<'f>(
        &self,
        names: &'f NameTable<'_>,
        secret: &SecretForm,
        function: &'f FunctionForm,
        start: Timestamp,
        record: bool,
        events: &mut Vec<SimulatedTrailEvent>,
        invocations: &mut Vec<FunctionRun<'f>>,
    ) -> Result<Timestamp, String> {
        let context = self.context(names, secret, Some(function));
        let mut now = start;
        for step in RotationStep::ALL {
            let stops = self.outcome != RotationOutcome::Succeeded && step == self.stops_in();
            if stops && self.outcome == RotationOutcome::Running {
                break;
            }
            let usual = RunForm {
                ends: (stops && self.outcome == RotationOutcome::Failed).then_some(EndingForm::Error),
                ..RunForm::default()
            };
            let run = match self.form.and_then(|form| form.run.as_ref()) {
                Some(run) if step == self.stops_in() => run,
                _ => &usual,
            };
            let lines: &[&str] = if stops { &[FOUND_CREDENTIALS] } else { success_lines(step) };
            let invocation = FunctionRun::new(names, function, now, run, lines, &context)?;
            let ended = invocation.ended();
            invocations.push(invocation);
            if record {
                self.calls_of_step(names, secret, function, step, run, stops, ended, events)?;
            }
            now = later(ended, SignedDuration::from_millis(350));
            if stops {
                break;
            }
        }
        Ok(now)
    }

    /// What the function's own calls leave in CloudTrail.
    #[expect(clippy::too_many_arguments, reason = "all of it is in the records")]
    fn calls_of_step(
        &self,
        names: &NameTable<'_>,
        secret: &SecretForm,
        function: &FunctionForm,
        step: RotationStep,
        run: &RunForm,
        stops: bool,
        at: Timestamp,
        events: &mut Vec<SimulatedTrailEvent>,
    ) -> Result<(), String> {
        let arn = names.secret_arn(secret);
        let mut call = |name: &str, parameters: Value, response: Value, error| {
            events.push(api_event(
                names.account(),
                TrailCall {
                    name,
                    source: "secretsmanager.amazonaws.com",
                    at,
                    region: names.region(secret.region.as_ref()),
                    actor: TrailActor::Session { role: role_name(function), session: function.name.clone() },
                    agent: None,
                    via: None,
                    parameters,
                    response,
                    error,
                },
            ));
        };
        if stops {
            if let Some(operation) = run.denied.as_ref().and_then(|action| action.strip_prefix("secretsmanager:")) {
                let resource = names
                    .fill(run.denied_on.as_deref().unwrap_or("{secret_arn}"), &self.context(names, secret, Some(function)))?;
                let message = format!(
                    "User: {} is not authorized to perform: secretsmanager:{operation} on resource: {resource} {}",
                    names.session_arn(function),
                    run.because.clone().unwrap_or_else(|| format!(
                        "because no identity-based policy allows the secretsmanager:{operation} action"
                    ))
                );
                call(operation, Value::Null, Value::Null, Some(("AccessDenied", message)));
            }
            return Ok(());
        }
        match step {
            RotationStep::CreateSecret => {
                // The templates look for a pending version first; on every healthy rotation there is none.
                call(
                    "GetSecretValue",
                    json!({ "secretId": arn, "versionId": self.version, "versionStage": "AWSPENDING" }),
                    Value::Null,
                    Some((
                        "ResourceNotFoundException",
                        "Secrets Manager can't find the specified secret value for staging label: AWSPENDING".to_owned(),
                    )),
                );
                call(
                    "PutSecretValue",
                    json!({ "secretId": arn, "clientRequestToken": self.version, "versionStages": ["AWSPENDING"] }),
                    json!({ "arn": arn }),
                    None,
                );
            }
            RotationStep::FinishSecret => call(
                "UpdateSecretVersionStage",
                json!({ "secretId": arn, "versionStage": "AWSCURRENT", "moveToVersionId": self.version }),
                json!({ "arn": arn }),
                None,
            ),
            RotationStep::SetSecret | RotationStep::TestSecret => {}
        }
        Ok(())
    }
}

const FOUND_CREDENTIALS: &str = "INFO Found credentials in environment variables.";

/// What AWS's PostgreSQL template logs when a step succeeds.
fn success_lines(step: RotationStep) -> &'static [&'static str] {
    match step {
        RotationStep::CreateSecret => {
            &[FOUND_CREDENTIALS, "INFO createSecret: Successfully put secret for ARN {secret_arn} and version {version}."]
        }
        RotationStep::SetSecret => &[
            FOUND_CREDENTIALS,
            "INFO Successfully established SSL/TLS connection as user 'app_user' with host: 'db.example.internal'",
            "INFO setSecret: Successfully set password for user app_user in PostgreSQL DB for secret arn {secret_arn}.",
        ],
        RotationStep::TestSecret => &[
            FOUND_CREDENTIALS,
            "INFO testSecret: Successfully signed into PostgreSQL DB with AWSPENDING secret in {secret_arn}.",
        ],
        RotationStep::FinishSecret => &[
            FOUND_CREDENTIALS,
            "INFO finishSecret: Successfully set AWSCURRENT stage to version {version} for secret {secret_arn}.",
        ],
    }
}

/// An attempt after one that left AWSPENDING behind goes on with that version.
fn name_versions(secret: &str, attempts: &mut [RotationAttempt<'_>]) {
    let mut pending: Option<String> = None;
    for attempt in attempts {
        let named = Some(std::mem::take(&mut attempt.version)).filter(|version| !version.is_empty());
        let own = || ids::uuid(&format!("version/{secret}/{}", attempt.at));
        attempt.version = named.or(pending.take()).unwrap_or_else(own);
        if attempt.leaves_pending() {
            pending = Some(attempt.version.clone());
        }
    }
}

/// The time between two rotations; a month where the schedule does not say.
fn period(secret: &SecretForm) -> SignedDuration {
    const DAY: i64 = 24;
    let hours = match (&secret.rotation.every_days, &secret.rotation.schedule) {
        (Some(days), _) => days * DAY,
        (None, Some(schedule)) => schedule
            .strip_prefix("rate(")
            .and_then(|rate| rate.strip_suffix(')'))
            .and_then(|rate| rate.split_once(' '))
            .and_then(|(number, unit)| {
                let number: i64 = number.parse().ok()?;
                Some(number * if unit.starts_with("hour") { 1 } else { DAY })
            })
            .unwrap_or(7 * DAY),
        (None, None) => 30 * DAY,
    };
    SignedDuration::from_hours(hours.clamp(1, 1000 * DAY))
}

fn back(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_sub(by).unwrap_or(at)
}

fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(at)
}
