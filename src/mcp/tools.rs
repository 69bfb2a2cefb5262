//! The tools: what each is called, takes, gives, and never does.

use crate::answers::MAX_LINES;
use crate::model::{Lookback, StepName};
use crate::report::UNTRUSTED_MARK;
use rmcp::model::{JsonObject, Tool, ToolAnnotations};
use serde_json::{Value, json};
use std::sync::Arc;

/// A tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AgentTool {
    DiagnoseSecret,
    ExplainLogLines,
    ExplainCause,
    Forecast,
    Evidence,
}

impl AgentTool {
    /// All of them.
    pub const ALL: [AgentTool; 5] = [
        AgentTool::DiagnoseSecret,
        AgentTool::ExplainLogLines,
        AgentTool::ExplainCause,
        AgentTool::Forecast,
        AgentTool::Evidence,
    ];

    /// The tool with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<AgentTool> {
        AgentTool::ALL.into_iter().find(|tool| tool.name() == name)
    }

    /// What clients call it by.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            AgentTool::DiagnoseSecret => "diagnose_secret",
            AgentTool::ExplainLogLines => "explain_log_lines",
            AgentTool::ExplainCause => "explain_cause",
            AgentTool::Forecast => "forecast",
            AgentTool::Evidence => "evidence",
        }
    }

    /// The command that prints the same.
    #[must_use]
    pub const fn command(self) -> &'static str {
        match self {
            AgentTool::DiagnoseSecret => "rotation-diag diagnose SECRET --format json",
            AgentTool::ExplainLogLines => "rotation-diag explain --format json",
            AgentTool::ExplainCause => "rotation-diag explain CAUSE --format json",
            AgentTool::Forecast => "rotation-diag forecast SECRET --format json",
            AgentTool::Evidence => "rotation-diag evidence SECRET --step N --format json",
        }
    }

    /// True where AWS is asked.
    #[must_use]
    pub const fn asks_aws(self) -> bool {
        matches!(self, AgentTool::DiagnoseSecret | AgentTool::Forecast | AgentTool::Evidence)
    }

    const fn title(self) -> &'static str {
        match self {
            AgentTool::DiagnoseSecret => "Find out why a secret is not rotating",
            AgentTool::ExplainLogLines => "Say what log lines of a rotation function mean",
            AgentTool::ExplainCause => "Say what a cause is",
            AgentTool::Forecast => "Foretell the next rotation",
            AgentTool::Evidence => "Show what one step saw",
        }
    }

    const fn about(self) -> &'static str {
        match self {
            AgentTool::DiagnoseSecret => {
                "Find out why AWS Secrets Manager is not rotating a secret. Nine read-only steps look at the secret, its rotation, \
                 the rotation function, its logs, its role, the rotation history, metrics, access policies and recent changes; \
                 rules decide on the root cause. The report has the verdict (`outcome`, `headline`), `findings` with their \
                 evidence, the fix as ordered commands (`plan`), what was ruled out, and what could not be checked with the \
                 permission that is missing. Where there is no such secret, `secret.near_names` proposes others. It reads no \
                 secret's value and changes nothing: the commands are for a person to run. It takes some seconds."
            }
            AgentTool::ExplainLogLines => {
                "Say what lines of a rotation function's log mean: for each its cause (null for a normal line), the rotation step \
                 and the engine it speaks of. Takes Lambda's text or JSON format. Give the lines of one failing invocation \
                 together, because a line means more beside the others. Nothing is asked of AWS."
            }
            AgentTool::ExplainCause => {
                "Say what a cause of a failed rotation is, how it shows, and what it is not, in Markdown; without `cause`, list \
                 the ids of all causes. Nothing is asked of AWS."
            }
            AgentTool::Forecast => {
                "Foretell the next rotation of a secret: when it is due, what will stop it (`forecast.obstacles`), what cannot be \
                 told, and the commands that clear the way. It looks at the same nine steps as diagnose_secret, and changes \
                 nothing. Use it for a secret that still rotates, or to see whether a fix was enough."
            }
            AgentTool::Evidence => {
                "Show everything that one of the nine steps of an investigation saw, fact by fact: log lines, policies, attempts, \
                 metrics, changes. Performs that step and those it depends on, and changes nothing. Use it where the report of \
                 diagnose_secret quotes too little."
            }
        }
    }

    /// The names of its arguments.
    pub(super) const fn arguments(self) -> &'static [&'static str] {
        match self {
            AgentTool::DiagnoseSecret => &["secret", "region", "account", "window", "steps"],
            AgentTool::ExplainLogLines => &["lines"],
            AgentTool::ExplainCause => &["cause"],
            AgentTool::Forecast => &["secret", "region", "account"],
            AgentTool::Evidence => &["secret", "step", "region", "account", "window"],
        }
    }

    const fn required(self) -> &'static [&'static str] {
        match self {
            AgentTool::DiagnoseSecret | AgentTool::Forecast => &["secret"],
            AgentTool::ExplainLogLines => &["lines"],
            AgentTool::ExplainCause => &[],
            AgentTool::Evidence => &["secret", "step"],
        }
    }

    /// As clients list it.
    pub(super) fn definition(self) -> Tool {
        let properties: JsonObject = self.arguments().iter().map(|name| ((*name).to_owned(), argument(name))).collect();
        let input = json!({
            "type": "object", "properties": properties, "required": self.required(), "additionalProperties": false,
        });
        let annotations = ToolAnnotations::with_title(self.title())
            .read_only(true)
            .destructive(false)
            .idempotent(true)
            .open_world(self.asks_aws());
        let about = match self {
            AgentTool::ExplainCause => self.about().to_owned(),
            _ => format!("{} {UNTRUSTED_MARK}", self.about()),
        };
        Tool::new(self.name(), about, object(input))
            .with_title(self.title())
            .with_raw_output_schema(object(self.output()))
            .with_annotations(annotations)
    }

    /// What every answer of the tool holds at least.
    fn output(self) -> Value {
        let (held, kinds): (&[&str], &[Value]) = match self {
            AgentTool::DiagnoseSecret => (
                &["outcome", "headline", "secret", "findings", "plan", "forecast", "steps"],
                &[text(), text(), any(), list(), list(), any(), list()],
            ),
            AgentTool::ExplainLogLines => (&["lines"], &[list()]),
            AgentTool::ExplainCause => (&[], &[]),
            AgentTool::Forecast => {
                (&["outcome", "headline", "secret", "forecast", "plan"], &[text(), text(), any(), any(), list()])
            }
            AgentTool::Evidence => (&["secret", "step", "groups"], &[any(), any(), list()]),
        };
        let mut properties: JsonObject = held.iter().map(|name| (*name).to_owned()).zip(kinds.iter().cloned()).collect();
        let mut required: Vec<&str> = held.to_vec();
        properties.insert("schema_version".to_owned(), json!({"type": "integer"}));
        required.push("schema_version");
        if self != AgentTool::ExplainCause {
            properties.insert("untrusted".to_owned(), json!({"type": "array", "items": text(), "description": UNTRUSTED_MARK}));
            required.push("untrusted");
        }
        json!({"type": "object", "properties": properties, "required": required})
    }
}

fn text() -> Value {
    json!({"type": "string"})
}

fn list() -> Value {
    json!({"type": "array"})
}

fn any() -> Value {
    json!({"type": "object"})
}

/// The schema of an argument; each means the same wherever it is taken.
fn argument(name: &str) -> Value {
    match name {
        "secret" => {
            json!({"type": "string", "description": "The secret's name, such as prod/orders-db, or its ARN. Never its value."})
        }
        "region" => {
            json!({"type": "string", "description": "The AWS region, such as eu-west-1. Left out: the ARN's, or the configured one."})
        }
        "account" => {
            json!({"type": "string", "description": "What the configuration calls the account. Left out: the default account."})
        }
        "window" => json!({
            "type": "string", "enum": Lookback::WORDS,
            "description": "How far back to look. Left out: 24 hours, and wider while nothing explains the failure.",
        }),
        "steps" => json!({
            "type": "array", "items": {"type": "integer", "minimum": 1, "maximum": 9},
            "description": format!("Only these steps and those they depend on: {}. Left out: all, which a verdict needs.", steps()),
        }),
        "step" => json!({"type": "integer", "minimum": 1, "maximum": 9, "description": format!("{}.", steps())}),
        "lines" => json!({
            "type": "array", "items": {"type": "string"}, "maxItems": MAX_LINES,
            "description": "The lines, in their order.",
        }),
        _ => {
            json!({"type": "string", "description": "The id of a cause, such as db_auth_failed. Left out: all causes are listed."})
        }
    }
}

/// The steps by their numbers.
fn steps() -> String {
    StepName::ALL.map(|step| format!("{} {}", step.number(), step.label())).join(", ")
}

/// What is an object anyway.
fn object(value: Value) -> Arc<JsonObject> {
    Arc::new(match value {
        Value::Object(object) => object,
        _ => JsonObject::new(),
    })
}
