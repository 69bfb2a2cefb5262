//! Alarms in chat: accepted, worked on, told in threads; storms of them; what SNS lost.

mod context;
mod dead_letter;
mod handle;
mod intake;
mod messages;
mod open_thread;
mod rechecking;
mod reconcile;
mod recovery;
mod storm;
mod subscriber;
mod threads;

pub use intake::AlarmIntake;
pub(super) use intake::LANE;
pub use reconcile::Reconciler;
pub use subscriber::Subscriber;
pub use threads::AlarmThreads;
