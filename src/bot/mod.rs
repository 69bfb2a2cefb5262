//! What happens between chat, alarms and the engine. Each room knows only those above it:
//!
//! | room | what it is |
//! |---|---|
//! | `error` | why a trigger is not done |
//! | `health` | what does not work, for whoever restarts or pages |
//! | `rate_limit` | how much one person may ask |
//! | `retention` | forgets what is old |
//! | `leading` | what only one of several processes on one store does |
//! | `delivery` | makes the platforms show what the store says they are to show |
//! | `threads` | in which thread a question is answered, and what a follow-up is about |
//! | `verdict` | what the thread of an investigation is to show of it |
//! | `access` | who may do what: the rules, and the accounts that can be looked into |
//! | `autocomplete` | names of secrets while a person types |
//! | `intake` | takes what people say, decides whether they may, stores it, answers |
//! | `history` | what was said and found, for a platform that shows it itself |
//! | `progress` | the nine steps while they run, for the thread |
//! | `run_queue` | whose investigation runs next |
//! | `runner` | one run of an investigation |
//! | `alarms` | alarms in chat: accepted, worked on, told in threads |
//! | `agents` | what other agents ask, looked into while they wait |
//! | `schedule` | what is due by the clock |
//! | `handlers` | what each trigger comes to |
//! | `worker` | takes triggers out of the inbox and hands them to the handlers |
//!
//! `app` builds the owners in this order.

mod access;
mod agents;
mod alarms;
mod autocomplete;
mod delivery;
mod error;
mod handlers;
mod health;
mod history;
mod intake;
mod leading;
mod progress;
mod rate_limit;
mod retention;
mod run_queue;
mod runner;
mod schedule;
mod threads;
mod verdict;
mod worker;

pub use access::{Access, AccessRefusal, AccessRequest, AccountInfo, Accounts, Authorizer, AwsAccounts, Connected};
pub use agents::AgentQuestions;
pub use alarms::{AlarmIntake, AlarmThreads, Reconciler, Subscriber};
pub use autocomplete::Autocomplete;
pub use delivery::{Delivery, DeliveryPolicy, last_messages};
pub use handlers::{Actions, Handlers, InvestigationRequests, PendingEvents, Watches};
pub use health::Health;
pub use history::ChatHistory;
pub use intake::Intake;
pub use retention::keep_tidy;
pub use runner::Runner;
pub use schedule::{begin_rechecks, keep_schedule};
pub use worker::Workers;
