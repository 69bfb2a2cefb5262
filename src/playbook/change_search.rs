//! What step 9 asks the event history: few questions, the most telling first, none that other evidence answers.
//!
//! A look-up is scarce (two a second), and most of what could be asked for cannot be what happened.

use super::events::{self, LookUp, TrailLook};
use super::relevance::Watched;
use super::trail_event::TrailEvent;
use super::{StepContext, text};
use crate::aws::AwsCaller;
use crate::model::{ConfigChanges, FunctionFacts, Unsearched, Window, without_version};
use futures::future::join_all;
use jiff::Timestamp;

/// What the limit lets through at once: asked together, then looked at before more is asked.
const AT_ONCE: usize = 2;

/// Searched by name where all writes before a failure are too many to read.
///
/// Lambda's names carry the version of its API, and a look-up takes exact names only.
const TELLING: [&str; 6] = [
    "PutResourcePolicy",
    "UpdateSecret",
    "PutKeyPolicy",
    "DisableKey",
    "RevokeSecurityGroupIngress",
    "RevokeSecurityGroupEgress",
];

/// The same, of the function: one look-up by its name finds them all.
const TELLING_OF_FUNCTION: [&str; 4] = [
    "UpdateFunctionCode20150331v2",
    "UpdateFunctionConfiguration20150331v2",
    "RemovePermission20150331v2",
    "PutFunctionConcurrency20171031",
];

/// The same, of IAM.
const TELLING_GLOBAL: [&str; 4] = ["DetachRolePolicy", "PutRolePolicy", "DeleteRolePolicy", "CreatePolicyVersion"];

/// Where events of these names are: IAM's and the organization's are in one region only.
///
/// Source: CloudTrail User Guide, "Global service events".
fn is_global(name: &str) -> bool {
    let of_roles = name.contains("Role") && !name.contains("Rotat");
    let of_policies = ["CreatePolicy", "SetDefaultPolicy", "AttachPolicy", "DetachPolicy", "UpdatePolicy", "DeletePolicy"];
    of_roles || of_policies.iter().any(|prefix| name.starts_with(prefix))
}

/// Lambda's names carry the version of its API; nobody else's do.
fn is_of_function(name: &str) -> bool {
    without_version(name) != name
}

fn is_of_network(name: &str) -> bool {
    ["SecurityGroup", "Vpc", "NatGateway", "Route", "NetworkAcl", "Subnet"].iter().any(|part| name.contains(part))
}

fn is_of_groups(name: &str) -> bool {
    name.contains("SecurityGroup") && name != "DeleteSecurityGroup"
}

/// What event history brought, and how it was asked.
#[derive(Debug, Default)]
pub(super) struct Searched {
    pub(super) looked: TrailLook,
    pub(super) names: Vec<String>,
    pub(super) unsearched: Vec<Unsearched>,
    pub(super) window: Option<Window>,
}

/// What is known before event history is asked.
pub(super) struct Search<'a> {
    pub(super) regions: &'a [&'a str],
    pub(super) watched: &'a Watched,
    pub(super) function: Option<&'a FunctionFacts>,
    /// The first failure of the present row, or the window that was missed.
    pub(super) trouble: Option<Timestamp>,
    pub(super) last_success: Option<Timestamp>,
    /// What an earlier look of the same investigation brought; it is not asked for again.
    pub(super) known: Option<&'a ConfigChanges>,
}

/// One question, and the names it answers.
struct EventQuestion<'a> {
    region: &'a str,
    what: LookUp<'a>,
    answers: Vec<&'a str>,
}

impl Search<'_> {
    /// All writes before the trouble, in each region at once; and the named events over `span`, at most `most` look-ups a
    /// region, until one explains the trouble.
    pub(super) async fn perform(
        &self,
        cx: &StepContext<'_>,
        caller: &AwsCaller,
        span: Window,
        names: &[String],
        most: usize,
    ) -> Searched {
        let mut searched = Searched::default();
        if let (Some(at), None) = (self.trouble, self.known) {
            let window = events::before(at);
            searched.window = Some(window);
            let writes = join_all(self.regions.iter().map(|region| self.writes_before(cx, caller, region, window))).await;
            for (looked, names) in writes {
                searched.looked.add(looked);
                searched.names.extend(names);
            }
        }
        let (questions, unsearched) = self.questions(cx, names);
        searched.unsearched = unsearched;
        if questions.is_empty() {
            return searched;
        }
        searched.window = Some(span);
        let by_region = self.regions.iter().map(|region| {
            let own = questions.iter().filter(|question| question.region == *region).collect();
            self.ask(cx, caller, span, own, most)
        });
        for region in join_all(by_region).await {
            searched.looked.add(region.looked);
            searched.names.extend(region.names);
            searched.unsearched.extend(region.unsearched);
        }
        searched
    }

    /// All writes of `window`; where they are too many, those of the telling names.
    async fn writes_before(
        &self,
        cx: &StepContext<'_>,
        caller: &AwsCaller,
        region: &str,
        window: Window,
    ) -> (TrailLook, Vec<String>) {
        let mut looked = events::look_up(cx, caller, region, LookUp::Writes, window).await;
        if !looked.is_cut {
            return (looked, Vec::new());
        }
        let mut names: Vec<String> = Vec::new();
        if *cx.aws.region() == region {
            names.extend(TELLING_OF_FUNCTION.into_iter().chain(TELLING).map(str::to_owned));
        }
        if region == cx.aws.global_region() {
            names.extend(TELLING_GLOBAL.map(str::to_owned));
        }
        let (questions, _) = self.questions(cx, &names);
        let here = questions.iter().filter(|question| question.region == region);
        let asked = join_all(here.map(|question| async move {
            (events::look_up(cx, caller, region, question.what, window).await, &question.answers)
        }))
        .await;
        let mut answered = Vec::new();
        for (one, answers) in asked {
            looked.add(one);
            answered.extend(answers.iter().map(|name| (*name).to_owned()));
        }
        // Still incomplete: writes of other names may have been among those cut off.
        (looked, answered)
    }

    /// The look-ups that answer for `names`, in their order, and the names that need none.
    fn questions<'n>(&'n self, cx: &'n StepContext<'_>, names: &'n [String]) -> (Vec<EventQuestion<'n>>, Vec<Unsearched>) {
        let (mut questions, mut unsearched) = (Vec::<EventQuestion<'n>>::new(), Vec::new());
        let of_function = self.watched.function.as_ref().map(|function| function.name());
        for name in names.iter().map(String::as_str) {
            let is_known = self.known.is_some_and(|known| known.is_settled(name));
            if is_known || questions.iter().any(|question| question.answers.contains(&name)) {
                continue;
            }
            let region = if is_global(name) { cx.aws.global_region() } else { cx.aws.region() };
            if !self.regions.contains(&region) {
                continue;
            }
            if let Some(because) = self.needless(name) {
                unsearched.push(Unsearched { event: name.to_owned(), because, is_needless: true });
                continue;
            }
            let what = match of_function.filter(|_| is_of_function(name)) {
                Some(function) => LookUp::Resource(function),
                None => LookUp::Name(name),
            };
            match questions
                .iter_mut()
                .find(|question| matches!((question.what, what), (LookUp::Resource(_), LookUp::Resource(_))))
            {
                Some(question) => question.answers.push(name),
                None => questions.push(EventQuestion { region, what, answers: vec![name] }),
            }
        }
        (questions, unsearched)
    }

    /// Why nothing of this name can have happened that matters, where other evidence tells.
    fn needless(&self, name: &str) -> Option<String> {
        let function = self.function?;
        // A database's own group may have shut out a function that comes from the Internet.
        if is_of_network(name) && !is_of_groups(name) && function.vpc.is_none() {
            return Some("the function is in no VPC".to_owned());
        }
        let stem = without_version(name);
        if stem == "PublishLayerVersion" {
            return Some("a new layer version takes effect by UpdateFunctionConfiguration only".to_owned());
        }
        let modified =
            function.last_modified_at.filter(|_| matches!(stem, "UpdateFunctionCode" | "UpdateFunctionConfiguration"))?;
        self.last_success
            .filter(|success| modified < *success)
            .map(|_| format!("the function was last changed {}, before the last success", text::moment(modified)))
    }

    /// Asks one region, a few questions at a time, until the trouble is explained or enough was asked.
    async fn ask(
        &self,
        cx: &StepContext<'_>,
        caller: &AwsCaller,
        span: Window,
        questions: Vec<&EventQuestion<'_>>,
        most: usize,
    ) -> Searched {
        let mut searched = Searched::default();
        let mut left = questions.as_slice();
        let mut is_explained = false;
        while !left.is_empty() && !is_explained && questions.len() - left.len() < most {
            let (now, later) = left.split_at(AT_ONCE.min(left.len()));
            left = later;
            let asked = now.iter().map(|question| events::look_up(cx, caller, question.region, question.what, span));
            for (looked, question) in join_all(asked).await.into_iter().zip(now) {
                searched.looked.add(looked);
                searched.names.extend(question.answers.iter().map(|name| (*name).to_owned()));
            }
            is_explained = self.is_explained(&searched.looked.events, &searched.names);
        }
        let because = match is_explained {
            true => "a change that explains the failure was found before it was asked for",
            false => "event history takes two look-ups a second, and more telling ones found nothing",
        };
        searched.unsearched.extend(left.iter().flat_map(|question| &question.answers).map(|name| Unsearched {
            event: (*name).to_owned(),
            because: because.to_owned(),
            is_needless: is_explained,
        }));
        searched
    }

    /// Whether one of `events` is a change of a wanted kind before the trouble began.
    fn is_explained(&self, events: &[TrailEvent], wanted: &[String]) -> bool {
        let mut watched = self.watched.clone();
        watched.learn_policies(events);
        let early = |at: Timestamp| self.trouble.is_none_or(|trouble| at <= trouble);
        events
            .iter()
            .filter_map(|event| watched.change(event))
            .any(|change| early(change.at) && wanted.iter().any(|name| without_version(name) == change.event))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_iam_and_of_the_organization_are_looked_for_where_they_are() {
        for name in
            TELLING_GLOBAL.iter().chain(&["PutRolePermissionsBoundary", "DeleteRole", "UpdateAssumeRolePolicy", "UpdatePolicy"])
        {
            assert!(is_global(name), "{name}");
        }
        let home = TELLING.iter().chain(&TELLING_OF_FUNCTION);
        for name in home.chain(&["RotateSecret", "CancelRotateSecret", "DeleteResourcePolicy", "ReplaceRoute"]) {
            assert!(!is_global(name), "{name}");
        }
    }

    #[test]
    fn the_functions_and_the_networks_events_are_told_from_others() {
        for name in TELLING_OF_FUNCTION {
            assert!(is_of_function(name) && !is_of_network(name), "{name}");
        }
        for name in
            ["RevokeSecurityGroupIngress", "DeleteVpcEndpoints", "ReplaceNetworkAclEntry", "DeleteRoute", "DeleteNatGateway"]
        {
            assert!(is_of_network(name) && !is_of_function(name), "{name}");
        }
        for name in TELLING_GLOBAL.iter().chain(&["PutResourcePolicy", "RotateSecret", "ModifyDBInstance"]) {
            assert!(!is_of_network(name) && !is_of_function(name), "{name}");
        }
    }
}
