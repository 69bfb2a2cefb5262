//! The bot: what people may ask ([`Authorizer`]), what is accepted ([`Bot`] as a [`Intake`](crate::chat::Reception)), who works on
//! it, and what is delivered.

mod accounts;
mod alarms;
mod authorizer;
mod bot;
mod delivery;
mod health;
mod held;
mod intake;
mod judging;
mod live;
mod perform;
mod rate_limit;
mod retention;
mod run;
mod suggest;
mod watch;
mod workers;

pub use accounts::{AccountInfo, Accounts, AwsAccounts, Connected};
pub use alarms::{AlarmIntake, Subscriber};
pub use authorizer::{AccessRequest, Authorizer, Refusal};
pub use bot::Bot;
pub use delivery::{Delivery, DeliveryPolicy};
pub use health::Health;
pub use workers::work;
