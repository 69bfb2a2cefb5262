//! What the network says about a failure to reach something: of the way to an endpoint of AWS, and to the databases.

use super::named_endpoint::NamedEndpoint;
use crate::diagnosis::DiagnosisContext;
use crate::diagnosis::network::{self, HopStanding, NetworkFault, NetworkPaths, Path, Reachability};
use crate::model::{
    Cause, Confidence, DatabaseChoice, Finding, NetworkPath, Observation, PathHop, PathState, Proof, RotationStep, Severity,
    StepName, TargetDatabase,
};

/// The remark about a fault that no failed rotation shows yet.
pub(in crate::diagnosis) const NOT_YET: &str = " It has not stopped a rotation yet; it will stop the next one.";

/// The same of a fault in one of the function's subnets.
pub(in crate::diagnosis) const NOT_YET_THERE: &str =
    " It has not stopped a rotation yet; it will stop one that runs in that subnet.";

/// The same of what is only a guess.
pub(in crate::diagnosis) const NOT_YET_PERHAPS: &str = " It has not stopped a rotation yet; it may stop the next one.";

/// The remark where the network lets through now what failed.
pub(in crate::diagnosis) const MENDED: &str = " The network lets it through now: it may have been fixed since.";

/// True where the function's network was worth a look, whatever came of it.
pub(in crate::diagnosis) fn was_looked_at(context: &DiagnosisContext<'_>) -> bool {
    !matches!(context.evidence.network.subnets, Observation::NotApplicable { .. })
}

/// The way to the service's endpoint; `None` outside a VPC, and where nobody looked.
pub(in crate::diagnosis) fn to_service(context: &DiagnosisContext<'_>, service: &str) -> Option<NetworkPaths> {
    let function = context.function().filter(|_| was_looked_at(context) && context.rotates_by_function())?;
    network::to_service(&context.evidence.network, function, &context.evidence.region, service)
}

/// The way to the endpoint that a line names, else to Secrets Manager.
pub(in crate::diagnosis) fn to_named(context: &DiagnosisContext<'_>, named: Option<&NamedEndpoint>) -> Option<NetworkPaths> {
    let Some(NamedEndpoint { service, elsewhere, is_dual_stack }) = named else {
        return to_service(context, "secretsmanager");
    };
    if elsewhere.is_none() && !is_dual_stack {
        return to_service(context, service);
    }
    let function = context.function().filter(|_| was_looked_at(context) && context.rotates_by_function())?;
    if elsewhere.is_none() {
        return network::to_dual_stack_host(&context.evidence.network, function, &context.evidence.region, service);
    }
    network::to_public_host(&context.evidence.network, function, service)
}

/// A database with the way to it.
pub(in crate::diagnosis) struct JudgedDatabase<'a> {
    pub(in crate::diagnosis) database: &'a TargetDatabase,
    /// `None` where its port is not known.
    pub(in crate::diagnosis) paths: Option<NetworkPaths>,
}

impl JudgedDatabase<'_> {
    pub(in crate::diagnosis) fn reach(&self) -> Reachability {
        self.paths.as_ref().map_or(Reachability::Unknown, NetworkPaths::reach)
    }

    /// `orders, as a tag of the secret names it`.
    pub(in crate::diagnosis) fn named(&self) -> String {
        format!("{}, {}", self.database.id, how(self.database.found_by))
    }
}

/// How a database was found, as part of a sentence.
pub(in crate::diagnosis) const fn how(choice: DatabaseChoice) -> &'static str {
    match choice {
        DatabaseChoice::Configured => "which the configuration names for this secret",
        DatabaseChoice::Tagged => "which a tag of the secret names",
        DatabaseChoice::Owner => "which owns the secret",
        DatabaseChoice::Logged => "whose host the function's log names",
        DatabaseChoice::ChangedGroup => "whose security group was changed",
        DatabaseChoice::SameEngine => "which is a guess by the function's engine and VPC",
    }
}

/// The databases that the secret may be for, the likeliest first, each with the way to it.
pub(in crate::diagnosis) fn databases<'a>(context: &DiagnosisContext<'a>) -> Vec<JudgedDatabase<'a>> {
    let network = &context.evidence.network;
    let Some(function) = context.function().filter(|_| context.rotates_by_function()) else { return Vec::new() };
    let all = network.databases.found().map(Vec::as_slice).unwrap_or_default();
    all.iter().map(|database| JudgedDatabase { database, paths: network::to_database(network, function, database) }).collect()
}

/// The database that the secret is for: named, or the only one that it can be.
pub(in crate::diagnosis) fn database<'a>(context: &DiagnosisContext<'a>) -> Option<JudgedDatabase<'a>> {
    let mut all = databases(context);
    match all.first()?.database.found_by {
        DatabaseChoice::SameEngine if all.len() > 1 => None,
        _ => Some(all.swap_remove(0)),
    }
}

/// Words of many names, which tell nothing of what they name.
const COMMON_WORDS: &[&str] = &[
    "db",
    "database",
    "databases",
    "rds",
    "aurora",
    "postgres",
    "postgresql",
    "pg",
    "mysql",
    "mariadb",
    "oracle",
    "sqlserver",
    "mssql",
    "db2",
    "docdb",
    "mongodb",
    "instance",
    "cluster",
    "server",
    "writer",
    "reader",
    "primary",
    "main",
    "master",
    "prod",
    "production",
    "dev",
    "test",
    "stage",
    "staging",
    "qa",
    "live",
    "secret",
    "credentials",
    "password",
    "user",
    "admin",
    "app",
];

/// True where a word of the database's name stands in the secret's too: something speaks for the guess then.
pub(in crate::diagnosis) fn is_named_alike(context: &DiagnosisContext<'_>, database: &TargetDatabase) -> bool {
    fn words(name: &str) -> impl Iterator<Item = String> {
        let words = name.split(|c: char| !c.is_ascii_alphanumeric()).map(str::to_ascii_lowercase);
        words.filter(|word| word.len() > 1 && !COMMON_WORDS.contains(&word.as_str()))
    }
    let Some(secret) = context.secret() else { return false };
    words(&database.id).any(|word| words(&secret.name).any(|own| own == word))
}

/// How sure a fault of the present network is by itself, how bad, and a remark.
pub(in crate::diagnosis) struct Weight {
    pub(in crate::diagnosis) confidence: Confidence,
    pub(in crate::diagnosis) severity: Severity,
    pub(in crate::diagnosis) note: &'static str,
}

/// A fault that no line shows: a cause where rotation fails unexplained or never worked, else a risk.
///
/// `needed_in` are the rotation steps that cannot work with it.
pub(in crate::diagnosis) fn weight(context: &DiagnosisContext<'_>, cause: Cause, needed_in: &[RotationStep]) -> Weight {
    let bites = context.failing_step().is_none_or(|step| needed_in.contains(&step));
    let (confidence, severity, note) = if context.failing.is_some() {
        match bites && !context.explained_otherwise(cause) {
            true => (Confidence::Likely, Severity::Critical, ""),
            false => (Confidence::Likely, Severity::Info, " Another reason stopped the last rotation."),
        }
    } else if context.never_rotated() {
        (Confidence::Likely, Severity::Critical, "")
    } else if context.is_overdue() && context.history_gap().is_some() {
        (Confidence::Possible, Severity::Critical, "")
    } else {
        (Confidence::Likely, Severity::Info, NOT_YET)
    };
    Weight { confidence, severity, note }
}

impl Weight {
    /// The same, where the way may be closed from some of the function's subnets only.
    pub(in crate::diagnosis) fn where_some_pass(self, paths: &NetworkPaths) -> Weight {
        match self.note == NOT_YET && !paths.is_blocked_everywhere() {
            true => Weight { note: NOT_YET_THERE, ..self },
            false => self,
        }
    }

    /// Gives the finding this weight.
    pub(in crate::diagnosis) fn put_on(&self, mut finding: Finding) -> Finding {
        finding.confidence = self.confidence;
        finding.severity = self.severity;
        let is_guess = self.confidence == Confidence::Possible && [NOT_YET, NOT_YET_THERE].contains(&self.note);
        finding.explanation.push_str(if is_guess { NOT_YET_PERHAPS } else { self.note });
        finding
    }
}

/// How many broken hops of one way are shown as proof.
const MAX_PROOFS: usize = 3;

/// What shows the fault.
fn proof(fault: &NetworkFault) -> Proof {
    Proof::of(fault.step(), fault.call(), fault.text())
}

/// What shows the faults: the first ones, as more would hide the rest of the proof.
pub(in crate::diagnosis) fn proofs(paths: &NetworkPaths) -> impl Iterator<Item = Proof> {
    let mut proofs: Vec<Proof> = Vec::new();
    for shown in paths.faults().into_iter().map(proof) {
        // One fact may stop the packets of several subnets.
        if proofs.iter().all(|known| known.text != shown.text) {
            proofs.push(shown);
        }
    }
    proofs.into_iter().take(MAX_PROOFS)
}

/// What shows the database's own state.
pub(in crate::diagnosis) fn state_proof(text: impl Into<String>) -> Proof {
    Proof::of(StepName::SecretAccess, "rds:DescribeDBInstances", text)
}

/// `: no rule …`, and from which subnets where it is not all of them.
pub(in crate::diagnosis) fn because(paths: &NetworkPaths) -> Option<String> {
    let path = paths.worst()?;
    let fault = path.fault()?;
    let from = match (&path.subnet, paths.is_blocked_everywhere()) {
        (Some(subnet), false) => format!(" from {subnet}, one of its subnets"),
        _ => String::new(),
    };
    Some(format!("{from}: {}", fault.text()))
}

/// What of the network stayed unseen and could stop the next rotation.
pub(in crate::diagnosis) fn doubts(context: &DiagnosisContext<'_>) -> Vec<String> {
    if !was_looked_at(context) || !context.rotates_by_function() {
        return Vec::new();
    }
    let service = to_service(context, "secretsmanager").and_then(|paths| paths.missing());
    let service = service.map(|missing| format!("whether the function reaches Secrets Manager: {missing}"));
    service.into_iter().chain(doubts_of_database(context)).collect()
}

/// What stayed unseen of the way to the database.
pub(in crate::diagnosis) fn doubts_of_database(context: &DiagnosisContext<'_>) -> Vec<String> {
    let unasked = context.evidence.network.databases.missing();
    let unasked = unasked.map(|missing| format!("whether the function reaches its database: {missing}"));
    let open = database(context).and_then(|one| {
        let missing = one.paths.as_ref()?.missing()?;
        Some(format!("whether the function reaches {}: {missing}", one.database.id))
    });
    unasked.into_iter().chain(open).collect()
}

/// How many databases' ways are shown; what is guessed may be many.
const MAX_SHOWN: usize = 3;

/// The ways as they are shown: of each target the one that fares worst.
pub(in crate::diagnosis) fn shown(context: &DiagnosisContext<'_>) -> Vec<NetworkPath> {
    if !was_looked_at(context) {
        return Vec::new();
    }
    let service = to_service(context, "secretsmanager");
    // The one that a line names, where that is another.
    let named = context.seen(Cause::AwsEndpointUnreachable);
    let named = named.and_then(|seen| NamedEndpoint::of(&seen.read.event.text, &context.evidence.region));
    let named = named.filter(|named| named.service != "secretsmanager" || named.elsewhere.is_some() || named.is_dual_stack);
    let service = service.into_iter().chain(named.and_then(|named| to_named(context, Some(&named))));
    let databases = databases(context).into_iter().filter_map(|one| one.paths).take(MAX_SHOWN);
    service.chain(databases).filter_map(|paths| paths.worst().map(|path| as_shown(&paths.target, path))).collect()
}

fn as_shown(target: &str, path: &Path) -> NetworkPath {
    let hop = |hop: &network::Hop| {
        let (state, text) = match &hop.standing {
            HopStanding::Passes(by) => (PathState::Reachable, by.clone()),
            HopStanding::Stops(fault) => (PathState::Blocked, fault.text()),
            HopStanding::Unseen(missing) => (PathState::Unknown, format!("not seen: {missing}")),
        };
        PathHop { place: hop.place.title().to_owned(), id: hop.id.clone(), state, text }
    };
    NetworkPath {
        target: target.to_owned(),
        subnet: path.subnet.clone(),
        state: match path.reach() {
            Reachability::Reachable => PathState::Reachable,
            Reachability::Unknown => PathState::Unknown,
            Reachability::Blocked => PathState::Blocked,
        },
        hops: path.hops.iter().map(hop).collect(),
    }
}
