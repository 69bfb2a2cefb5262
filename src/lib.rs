//! Finds out why AWS Secrets Manager stopped rotating a credential.
//!
//! # Code map
//!
//! In dependency order; each module knows only those above it.
//!
//! | module | what it is |
//! |---|---|
//! | [`model`] | pure data: causes, windows, evidence, findings |
//! | [`clock`] | the only place that asks the time |
//! | [`backoff`] | waits that grow after failures |
//! | [`http_body`] | bodies of HTTP answers, read up to a bound |
//! | [`tls`] | which TLS the program speaks |
//! | [`metrics`] | what is counted and measured, for Prometheus |
//! | [`spans`] | what traces may hold |
//! | [`redact`] | `SafeText`, the only text that may leave the process |
//! | [`lambda_log`] | Lambda's log lines, grouped into invocations |
//! | [`function_code`] | a rotation function's package, read without running it |
//! | [`report`] | what leaves an investigation: text, Markdown, JSON |
//! | [`diagnosis`] | pure rules: evidence in, findings out |
//! | [`aws`] | clients, deadlines, limiter, cache, and the classifier from SDK errors to observations |
//! | [`playbook`] | the nine steps, and the runner that performs them concurrently |
//! | [`investigation`] | the engine: collect, redact, diagnose, and look again where that helps |
//! | [`answers`] | one question, one JSON document: for programs and agents |
//! | [`simulator`] | an AWS account on loopback, for the demo and the tests |
//! | [`config`] | the configuration file: accounts, deadlines, what may be asked about |
//! | [`chart`] | the timeline as a picture: metrics, rotation attempts, changes |
//! | [`chat`] | messages and commands, whatever the platform |
//! | [`alarm`] | what SNS delivers: is it authentic, what is it about, which thread does it belong to |
//! | [`mcp`] | tools for other agents, over standard input and output or HTTP |
//! | [`store`] | what must survive a crash: accepted triggers, threads, deliveries, the audit trail |
//! | [`bot`] | between chat, alarms and the engine: what is allowed, accepted, worked on and delivered |
//! | [`platforms`] | Slack, Discord and the web console |
//! | [`app`] | `serve`: store, platforms, web server, workers; who watches whom; how it ends |
//! | [`cli`] | commands and their output in the terminal |
//!
//! # Invariants
//!
//! 1. `model` and `diagnosis` know no async, no AWS SDK, no chat, no clock.
//! 2. AWS SDK crates are named only in `aws` and `playbook`.
//! 3. A secret's value is never read, and nothing in AWS is ever changed, but that subscriptions to configured topics are
//!    confirmed.
//! 4. Nothing is printed or logged but `SafeText`; redaction is its only constructor.
//! 5. A collector never fails the investigation; it returns an observation.
//! 6. Clock and ids are injected. Tests never wait for the wall clock.
//!
//! `tests/architecture` enforces them.

pub mod alarm;
pub mod answers;
pub mod app;
pub mod aws;
pub mod backoff;
pub mod bot;
pub mod chart;
pub mod chat;
pub mod cli;
pub mod clock;
pub mod config;
pub mod diagnosis;
pub mod function_code;
pub mod http_body;
pub mod investigation;
pub mod lambda_log;
pub mod mcp;
pub mod metrics;
pub mod model;
pub mod platforms;
pub mod playbook;
pub mod redact;
pub mod report;
pub mod simulator;
pub mod spans;
pub mod store;
pub mod tls;
