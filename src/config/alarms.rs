//! `[alarms]`: which notifications are believed, what they are about, where they are told.

use super::platform::named;
use super::reader::{self, Reader, Section};
use super::{Config, Misplaced, SecretPattern};
use crate::model::{Arn, Place, PlatformName, SecretRef};
use crate::redact::looks_like_a_value;
use jiff::civil::Time;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use std::net::IpAddr;
use std::ops::Range;
use std::time::Duration;
use toml::de::DeValue;
use url::{Host, Url};

/// How old a notification may be where nothing else is configured. SNS gives up after at most an hour; the rest is for
/// clocks that differ.
///
/// Source: SNS Developer Guide, "Message delivery retries": an HTTP delivery policy ends within 3 600 seconds.
const DEFAULT_MAX_AGE: Duration = Duration::from_secs(90 * 60);

/// The longest accepted age, in minutes: as long as a dead-letter queue keeps a message.
///
/// Source: SQS Developer Guide, "Message quotas": retention of at most 14 days.
const MAX_AGE_LIMIT_MINUTES: u64 = 14 * 24 * 60;

/// Topics, mappings and routes at most; a wildcard serves more alarms than a longer list.
const MAX_ENTRIES: usize = 1_000;

/// What the configuration says about alarms.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Alarms {
    /// How notifications come in; `None` leaves `/sns` closed.
    pub sns: Option<Sns>,
    /// Alarms whose secrets are known.
    pub mappings: Vec<AlarmMapping>,
    /// Where alarms are told; the first that fits counts.
    pub routes: Vec<AlarmRoute>,
    /// How often alarms are looked for that SNS did not deliver; `None` never.
    pub reconcile_every: Option<Duration>,
}

/// How notifications come in through SNS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sns {
    /// The topics that are believed; every other is refused.
    pub topics: Vec<Topic>,
    /// Where SNS delivers to, as whoever subscribes has to write it.
    pub endpoint: Option<Url>,
    /// Whether signatures of version 1 (SHA-1) are accepted.
    pub accepts_version_1: bool,
    /// Where certificates are fetched instead of AWS; for tests, and only on loopback.
    pub certificate_origin: Option<Url>,
    /// How old a notification may be.
    pub max_age: Duration,
}

/// An SNS topic of a partition whose host names are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topic {
    arn: Arn,
    suffix: &'static str,
}

/// Alarms whose secrets are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlarmMapping {
    pub alarm: AlarmPattern,
    /// The secrets they are about.
    pub secrets: Vec<SecretRef>,
}

/// Where alarms are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlarmRoute {
    pub alarm: AlarmPattern,
    pub place: Place,
    /// Which of them are critical.
    pub critical: Vec<AlarmPattern>,
    /// Whom a critical one calls.
    pub mention: Option<Callee>,
    /// When only critical ones are told at once.
    pub quiet: Option<QuietHours>,
}

/// Whom a message calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Callee {
    /// A person, by id.
    User(String),
    /// A user group or role, by id.
    Group(String),
    /// Everyone who is active in the channel.
    Here,
}

/// An alarm's name or ARN in which `*` stands for any characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlarmPattern(SecretPattern);

/// Hours of the day, in a time zone; they may span midnight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuietHours {
    from: Time,
    to: Time,
    zone: TimeZone,
}

impl Alarms {
    /// The route of an alarm: the first that fits.
    #[must_use]
    pub fn route(&self, name: &str, key: &str) -> Option<&AlarmRoute> {
        self.routes.iter().find(|route| route.alarm.matches(name, key))
    }

    /// The secrets that the configuration says an alarm is about; empty where it says nothing.
    #[must_use]
    pub fn mapped(&self, name: &str, key: &str) -> &[SecretRef] {
        let mapping = self.mappings.iter().find(|mapping| mapping.alarm.matches(name, key));
        mapping.map(|mapping| mapping.secrets.as_slice()).unwrap_or_default()
    }
}

impl AlarmRoute {
    /// True when this alarm is critical.
    #[must_use]
    pub fn is_critical(&self, name: &str, key: &str) -> bool {
        self.critical.iter().any(|pattern| pattern.matches(name, key))
    }
}

impl AlarmPattern {
    /// The pattern `text`.
    #[must_use]
    pub fn new(text: &str) -> AlarmPattern {
        AlarmPattern(SecretPattern::new(text))
    }

    /// True when the whole name, or the whole key (an alarm's ARN), fits.
    #[must_use]
    pub fn matches(&self, name: &str, key: &str) -> bool {
        self.0.matches(name) || self.0.matches(key)
    }
}

impl QuietHours {
    /// The end of the quiet hours that `at` lies in; `None` where it lies in none.
    #[must_use]
    pub fn end_of(&self, at: Timestamp) -> Option<Timestamp> {
        let local = at.to_zoned_datetime(self.zone.clone());
        let time = local.time();
        let spans_midnight = self.from > self.to;
        let is_quiet = if spans_midnight { time >= self.from || time < self.to } else { time >= self.from && time < self.to };
        if !is_quiet {
            return None;
        }
        let date = if spans_midnight && time >= self.from { local.date().tomorrow().ok()? } else { local.date() };
        let end = self.zone.to_timestamp(date.to_datetime(self.to)).ok()?;
        // Where the clocks are put back, the hour before the end comes twice.
        Some(end).filter(|end| end.duration_since(at) > SignedDuration::ZERO)
    }
}

impl Topic {
    /// The topic with this ARN.
    ///
    /// # Errors
    /// What is expected.
    pub fn parse(text: &str) -> Result<Topic, String> {
        let expected = || "expected a topic's full ARN: arn:aws:sns:region:account:name".to_owned();
        let arn = Arn::parse(text).map_err(|_| expected())?;
        let is_topic = arn.service() == "sns"
            && super::region(arn.region().to_owned()).is_ok()
            && super::account_id(arn.account_id().to_owned()).is_ok()
            && arn.resource().chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
        if !is_topic {
            return Err(expected());
        }
        let suffix = suffix_of(arn.partition()).ok_or_else(|| format!("the partition {:?} is not known", arn.partition()))?;
        Ok(Topic { arn, suffix })
    }

    /// Its ARN.
    #[must_use]
    pub fn arn(&self) -> &Arn {
        &self.arn
    }

    /// The host that serves the certificates its messages are signed with.
    #[must_use]
    pub fn host(&self) -> String {
        format!("sns.{}.{}", self.arn.region(), self.suffix)
    }

    /// The DNS suffix of its partition.
    #[must_use]
    pub const fn suffix(&self) -> &'static str {
        self.suffix
    }
}

/// The DNS suffix of a partition's service endpoints.
///
/// Source: `partitions.json` of botocore 1.43.
fn suffix_of(partition: &str) -> Option<&'static str> {
    Some(match partition {
        "aws" | "aws-us-gov" => "amazonaws.com",
        "aws-cn" => "amazonaws.com.cn",
        "aws-iso" => "c2s.ic.gov",
        "aws-iso-b" => "sc2s.sgov.gov",
        "aws-iso-e" => "cloud.adc-e.uk",
        "aws-iso-f" => "csp.hci.ic.gov",
        "aws-eusc" => "amazonaws.eu",
        _ => return None,
    })
}

/// Where a route says where alarms are told, for mistakes that are seen once all is read.
pub(super) struct RoutePosition {
    at: usize,
    platform: Range<usize>,
    workspace: Range<usize>,
    channel: Range<usize>,
}

/// Reads `[alarms]`, and where its routes stand.
pub(super) fn read(section: Section<'_>, platforms: &[PlatformName]) -> (Alarms, Vec<RoutePosition>) {
    let routes = bounded(&section, "route").into_iter().enumerate().filter_map(|(at, route)| {
        let (platform, workspace, channel) = (route.span("platform"), route.span("workspace"), route.span("channel"));
        Some((read_route(route, platforms)?, RoutePosition { at, platform, workspace, channel }))
    });
    let (routes, positions) = routes.unzip();
    let alarms = Alarms {
        sns: section.section("sns").and_then(read_sns),
        mappings: bounded(&section, "mapping").into_iter().filter_map(read_mapping).collect(),
        routes,
        reconcile_every: section.section("reconcile").and_then(read_reconcile),
    };
    if alarms.sns.is_some() && alarms.routes.is_empty() {
        section.problem("sns", "there is no [[alarms.route]] that says where alarms are announced");
    }
    section.finish();
    (alarms, positions)
}

/// A route to where the bot is not would swallow its alarms. Nothing is judged where no platform is configured at all: such a
/// file serves one investigation at a time, and `serve` refuses it for that.
pub(super) fn check_routes(
    config: &Config,
    root: &Section<'_>,
    reader: &Reader<'_>,
    positions: &[RoutePosition],
    platforms: &[PlatformName],
) {
    if !platforms.iter().any(|platform| root.has(platform.id())) {
        return;
    }
    for (route, position) in config.alarms.routes.iter().zip(positions) {
        let place = &route.place;
        let problem = |span: &Range<usize>, key: &str, what: &str| {
            reader.problem(span.clone(), format!("`alarms.route[{}].{key}`: {what}", position.at));
        };
        let platform = place.platform.id();
        if !root.has(platform) {
            let what = format!("[{platform}] is not configured, so nobody would see these alarms");
            problem(&position.platform, "platform", &what);
            continue;
        }
        let misplaced = config.platforms.get(place.platform).map(|platform| platform.misplaced(place, config));
        for misplaced in misplaced.unwrap_or_default() {
            match misplaced {
                Misplaced::Workspace(why) => problem(&position.workspace, "workspace", &why),
                Misplaced::Channel(why) => problem(&position.channel, "channel", &why),
            }
        }
    }
}

fn bounded<'a>(section: &Section<'a>, key: &'static str) -> Vec<Section<'a>> {
    let entries = section.list(key);
    if entries.len() > MAX_ENTRIES {
        section.problem(key, &format!("at most {MAX_ENTRIES} are read"));
    }
    entries
}

fn read_sns(section: Section<'_>) -> Option<Sns> {
    let topics = section.get("topics", |value| reader::texts(value, |text| Topic::parse(&text).map(|_| text)));
    if topics.as_ref().is_none_or(Vec::is_empty) {
        section.problem("topics", "name at least one topic; every other is refused");
    }
    let endpoint = section.get("endpoint", |value| endpoint(&reader::text(value)?));
    let versions = section.get("signature_versions", |value| {
        reader::texts(value, |text| match text.as_str() {
            "1" | "2" => Ok(text),
            _ => Err(format!("expected \"1\" or \"2\", found {text:?}")),
        })
    });
    if versions.as_ref().is_some_and(|versions| !versions.iter().any(|version| version == "2")) {
        section.problem("signature_versions", "must contain \"2\"");
    }
    let certificate_origin = section.get("certificate_origin", |value| origin(&reader::text(value)?));
    let max_age = section
        .get("max_age_minutes", |value| reader::number(value, 60..=MAX_AGE_LIMIT_MINUTES))
        .map(|minutes| Duration::from_secs(minutes * 60));
    section.finish();
    Some(Sns {
        topics: topics?.iter().filter_map(|text| Topic::parse(text).ok()).collect(),
        endpoint,
        accepts_version_1: versions.is_some_and(|versions| versions.iter().any(|version| version == "1")),
        certificate_origin,
        max_age: max_age.unwrap_or(DEFAULT_MAX_AGE),
    })
}

/// Source: SNS delivers to any path; the bot answers at this one.
fn endpoint(text: &str) -> Result<Url, String> {
    let expected = || "expected https://, a host and /sns, such as https://bot.example.com/sns".to_owned();
    let url = Url::parse(text).map_err(|_| expected())?;
    let is_bare = url.query().is_none() && url.fragment().is_none() && url.username().is_empty() && url.password().is_none();
    if url.scheme() == "https" && url.path() == "/sns" && is_bare { Ok(url) } else { Err(expected()) }
}

/// Scheme, host and port; only of this machine, so that no configuration can make a stranger's key count.
fn origin(text: &str) -> Result<Url, String> {
    let expected = || "expected http:// or https:// with a loopback address and a port, such as http://127.0.0.1:8443".to_owned();
    let url = Url::parse(text).map_err(|_| expected())?;
    let is_loopback = match url.host() {
        Some(Host::Ipv4(ip)) => IpAddr::V4(ip).is_loopback(),
        Some(Host::Ipv6(ip)) => IpAddr::V6(ip).is_loopback(),
        Some(Host::Domain(_)) | None => false,
    };
    let is_bare = matches!(url.scheme(), "http" | "https")
        && url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    if is_loopback && is_bare { Ok(url) } else { Err(expected()) }
}

/// What is told instead of a value that stands where a name belongs.
const VALUE: &str = "this looks like a secret's value, not its name: rotate it, and give the secret's name or its ARN";

fn read_mapping(section: Section<'_>) -> Option<AlarmMapping> {
    let alarm = section.get("alarm", pattern);
    let secrets = section.get("secrets", |value| {
        reader::texts(value, |text| match text.parse::<SecretRef>() {
            Ok(SecretRef::Name(name)) if looks_like_a_value(&name) => Err(VALUE.to_owned()),
            Ok(_) => Ok(text),
            Err(error) => Err(error.to_string()),
        })
    });
    if alarm.is_none() {
        section.problem("alarm", "name the alarm; `*` stands for any characters");
    }
    if secrets.as_ref().is_none_or(Vec::is_empty) {
        section.problem("secrets", "name the secrets it is about");
    }
    section.finish();
    Some(AlarmMapping { alarm: alarm?, secrets: secrets?.iter().filter_map(|text| text.parse().ok()).collect() })
}

fn read_route(section: Section<'_>, platforms: &[PlatformName]) -> Option<AlarmRoute> {
    let alarm = section.get("alarm", pattern).unwrap_or_else(|| AlarmPattern::new("*"));
    let platform = section.get("platform", |value| named(&reader::text(value)?, platforms));
    let workspace = section.get("workspace", |value| reader::text(value).and_then(id));
    let channel = section.get("channel", |value| reader::text(value).and_then(id));
    for (key, is_missing) in
        [("platform", platform.is_none()), ("workspace", workspace.is_none()), ("channel", channel.is_none())]
    {
        if is_missing && !section.has(key) {
            section.problem(key, "a route names a platform, a workspace and a channel");
        }
    }
    let critical: Vec<AlarmPattern> = section
        .get("critical", |value| reader::texts(value, not_empty))
        .unwrap_or_default()
        .iter()
        .map(|text| AlarmPattern::new(text))
        .collect();
    let mention = section.get("mention", |value| callee(&reader::text(value)?));
    if mention.is_some() && critical.is_empty() {
        section.problem("mention", "is only valid together with `critical`");
    }
    let zone = section.get("time_zone", |value| {
        let name = reader::text(value)?;
        TimeZone::get(&name).map_err(|_| format!("expected a time zone such as Europe/Berlin, found {name:?}"))
    });
    let hours = section.get("quiet_hours", |value| quiet_hours(&reader::text(value)?));
    if zone.is_some() && hours.is_none() {
        section.problem("time_zone", "is only valid together with `quiet_hours`");
    }
    section.finish();
    let place = Place { platform: platform?, workspace: workspace?, channel: channel?, thread: None };
    let quiet = hours.map(|(from, to)| QuietHours { from, to, zone: zone.unwrap_or(TimeZone::UTC) });
    Some(AlarmRoute { alarm, place, critical, mention, quiet })
}

fn read_reconcile(section: Section<'_>) -> Option<Duration> {
    let enabled = section.get("enabled", reader::boolean).unwrap_or(false);
    let minutes = section.get("every_minutes", |value| reader::number(value, 5..=1_440)).unwrap_or(15);
    section.finish();
    enabled.then(|| Duration::from_secs(minutes * 60))
}

fn not_empty(text: String) -> Result<String, String> {
    if text.is_empty() { Err("expected a text that is not empty".to_owned()) } else { Ok(text) }
}

fn pattern(value: &DeValue<'_>) -> Result<AlarmPattern, String> {
    reader::text(value).and_then(not_empty).map(|text| AlarmPattern::new(&text))
}

/// An id as the platforms make them.
fn id(text: String) -> Result<String, String> {
    let shaped = (1..=64).contains(&text.len()) && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if shaped { Ok(text) } else { Err(format!("expected an id of letters and digits, found {text:?}")) }
}

fn callee(text: &str) -> Result<Callee, String> {
    let expected = || "expected \"here\", \"user:ID\" or \"group:ID\"".to_owned();
    match text.split_once(':') {
        None if text == "here" => Ok(Callee::Here),
        Some(("user", name)) => id(name.to_owned()).map(Callee::User).map_err(|_| expected()),
        Some(("group", name)) => id(name.to_owned()).map(Callee::Group).map_err(|_| expected()),
        _ => Err(expected()),
    }
}

fn quiet_hours(text: &str) -> Result<(Time, Time), String> {
    let expected = || format!("expected two different times such as 22:00-07:00, found {text:?}");
    let (from, to) = text.split_once('-').ok_or_else(expected)?;
    let time = |text: &str| Time::strptime("%H:%M", text.trim()).map_err(|_| expected());
    let (from, to) = (time(from)?, time(to)?);
    if from == to { Err(expected()) } else { Ok((from, to)) }
}

#[cfg(test)]
mod tests;
