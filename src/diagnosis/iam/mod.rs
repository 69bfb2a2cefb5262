//! IAM policy evaluation, in three values.
//!
//! A policy is parsed once ([`Policy::parse`]) and evaluated many times. An evaluation is pure: what
//! the request's context holds is said by the caller, and a context key nobody spoke of is *unknown*,
//! so the answer can be "allowed", "denied" or "unknown, because of these keys". It is never guessed.
//!
//! * [`evaluate_identity`], [`evaluate_resource`] and [`evaluate_trust`]: the statements of one layer alone.
//! * [`Policies::evaluate`]: identity policies, permissions boundary and the resource's policy
//!   together, in one account or across two, with the layer that decided.
//!
//! What no policy here can show (service control policies, session policies, VPC endpoint policies)
//! is not evaluated: "allowed" means allowed by the policies that were given.
//!
//! Sources: IAM User Guide, "IAM JSON policy element reference" and "Policy evaluation logic"; KMS
//! Developer Guide, "Key policies in AWS KMS".

mod arn;
mod combine;
mod condition;
mod context;
mod effect;
mod evaluate;
mod grant;
mod key_names;
mod operator;
mod pattern;
mod policy;
mod principal;
mod truth;

pub use combine::{Policies, ResourcePolicy};
pub use context::Context;
pub use effect::Effect;
pub use evaluate::{Decision, LayerDecision, Request, evaluate_identity, evaluate_resource, evaluate_trust};
pub use grant::{Layer, StatementRef};
pub use key_names::key_names;
pub use policy::{Policy, PolicyError};
pub use principal::{Caller, InvalidRoleArn};

use truth::Truth;
