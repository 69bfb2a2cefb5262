//! A part of step 3, where it is asked for: the function's package, fetched from Lambda and read without running it.

use super::{StepContext, carried};
use crate::aws::{AwsCaller, CacheKey, PackageHost};
use crate::function_code::{self, CodeTarget, MAX_PACKED, PackageLayer};
use crate::model::{CodeSource, FunctionCode, FunctionFacts, NOT_ASKED_FOR, Observation};
use std::fmt;
use std::sync::Arc;
use tokio::sync::{Semaphore, SemaphorePermit};

/// Packages that are held at once: each may take 64 MiB, and reading it some more.
static TURNS: Semaphore = Semaphore::const_new(1);

/// Whether the function's code is looked at, and whose copy of it.
#[derive(Clone, Default)]
pub struct CodeChoice {
    /// Ask Lambda for the package and its layers.
    pub fetch: bool,
    /// A package that is looked at in the place of what is deployed.
    pub local: Option<Arc<Vec<u8>>>,
}

impl CodeChoice {
    /// True where any code is looked at.
    #[must_use]
    pub fn is_asked(&self) -> bool {
        self.fetch || self.local.is_some()
    }
}

impl fmt::Debug for CodeChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let local = self.local.as_ref().map(|package| package.len());
        f.debug_struct("CodeChoice").field("fetch", &self.fetch).field("local_bytes", &local).finish()
    }
}

pub(super) async fn collect(
    cx: &StepContext<'_>,
    caller: &AwsCaller,
    facts: &Observation<FunctionFacts>,
) -> Observation<FunctionCode> {
    let choice = &cx.request.code;
    let not_applicable = |because: &str| Observation::NotApplicable { because: because.to_owned() };
    if !choice.is_asked() {
        return not_applicable(NOT_ASKED_FOR);
    }
    let facts = match facts {
        Observation::Found(facts) => facts,
        unanswered => return carried(unanswered.clone()),
    };
    let Some(runtime) = &facts.runtime else { return not_applicable("not inspected: the function is a container image") };
    if !function_code::is_readable(runtime) {
        return not_applicable("not inspected: code is looked at for Python and Node.js only");
    }
    let inspected = Box::pin(async {
        match &choice.local {
            Some(package) => inspect(cx, caller, facts, CodeSource::LocalFile, Arc::clone(package), turn().await).await,
            None => {
                let key = CacheKey::FunctionCode(identity(facts));
                let ask = async {
                    let turn = turn().await;
                    match package(cx, caller, facts).await {
                        Observation::Found(package) => inspect(cx, caller, facts, CodeSource::Deployed, package, turn).await,
                        unanswered => carried(unanswered),
                    }
                };
                cx.aws.shared().answers.get(key, caller.fresh(), ask).await
            }
        }
    });
    caller.within_deadline(inspected).await.unwrap_or_else(|| Observation::TimedOut { after_ms: caller.elapsed_ms() })
}

async fn turn() -> Option<SemaphorePermit<'static>> {
    TURNS.acquire().await.ok()
}

/// What the facts of the code depend on.
fn identity(facts: &FunctionFacts) -> String {
    let parts = [facts.arn.to_string(), facts.code_sha256.clone().unwrap_or_default(), facts.runtime.clone().unwrap_or_default()];
    let rest = [facts.handler.clone().unwrap_or_default(), facts.architectures.join(","), facts.layers.join(",")];
    parts.into_iter().chain(rest).collect::<Vec<_>>().join(" ")
}

async fn package(cx: &StepContext<'_>, caller: &AwsCaller, facts: &FunctionFacts) -> Observation<Arc<Vec<u8>>> {
    let request = cx.aws.lambda.get_function().function_name(facts.arn.arn().as_str()).send();
    let answer = caller.call("lambda:GetFunction", &format!("function {}", facts.arn.name()), request).await;
    let location = answer.and_then(|output| match output.code().and_then(|code| code.location()) {
        Some(location) => Observation::Found(location.to_owned()),
        None => Observation::Failed { error: "Lambda gave no address for the package".to_owned() },
    });
    match location {
        Observation::Found(location) => fetch(cx, &location, MAX_PACKED).await.map(Arc::new),
        unanswered => carried(unanswered),
    }
}

async fn fetch(cx: &StepContext<'_>, location: &str, largest: usize) -> Observation<Vec<u8>> {
    match PackageHost::new(cx.aws) {
        Ok(host) => host.fetch(location, largest).await,
        Err(error) => Observation::Failed { error },
    }
}

/// The layers, in the function's order; one that cannot be had says why.
async fn layers(cx: &StepContext<'_>, caller: &AwsCaller, facts: &FunctionFacts, mut left: usize) -> Vec<PackageLayer> {
    let mut layers = Vec::new();
    for arn in &facts.layers {
        if !cx.request.code.fetch {
            layers.push(PackageLayer::Unread("it is not asked of Lambda".to_owned()));
            continue;
        }
        let request = cx.aws.lambda.get_layer_version_by_arn().arn(arn).send();
        let answer = caller.call("lambda:GetLayerVersion", &format!("layer {arn}"), request).await;
        let location = answer.and_then(|output| match output.content().and_then(|content| content.location()) {
            Some(location) => Observation::Found(location.to_owned()),
            None => Observation::Failed { error: "Lambda gave no address for it".to_owned() },
        });
        let fetched = match location {
            Observation::Found(location) => fetch(cx, &location, left).await,
            unanswered => carried(unanswered),
        };
        layers.push(match fetched {
            Observation::Found(bytes) => {
                left = left.saturating_sub(bytes.len());
                PackageLayer::Read(bytes)
            }
            other => PackageLayer::Unread(other.missing().unwrap_or_else(|| "there is no such layer".to_owned())),
        });
    }
    layers
}

async fn inspect(
    cx: &StepContext<'_>,
    caller: &AwsCaller,
    facts: &FunctionFacts,
    source: CodeSource,
    package: Arc<Vec<u8>>,
    turn: Option<SemaphorePermit<'static>>,
) -> Observation<FunctionCode> {
    let layers = layers(cx, caller, facts, MAX_PACKED.saturating_sub(package.len())).await;
    let (runtime, handler) = (facts.runtime.clone(), facts.handler.clone());
    let architecture = facts.architectures.first().cloned().unwrap_or_else(|| "x86_64".to_owned());
    let read = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        let target = CodeTarget { runtime: runtime.as_deref(), handler: handler.as_deref(), architecture: &architecture };
        function_code::inspect(source, &target, &package, &layers)
    });
    match read.await {
        Ok(Ok(code)) => Observation::Found(code),
        Ok(Err(refused)) => Observation::Failed { error: refused.to_string() },
        Err(_) => Observation::Failed { error: "reading the package stopped on a defect of its own".to_owned() },
    }
}
