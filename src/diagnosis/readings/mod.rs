//! What several rules read from the evidence: each answers one question about it, and decides no cause.

pub(super) mod availability;
pub(super) mod behind;
pub(super) mod by_log;
pub(super) mod code;
pub(super) mod function_age;
pub(super) mod hang;
pub(super) mod healed;
pub(super) mod login;
pub(super) mod named_endpoint;
pub(super) mod network;
pub(super) mod partner;
pub(super) mod pending;
pub(super) mod port;
pub(super) mod postgres_right;
pub(super) mod runtime;
pub(super) mod services;
pub(super) mod strategy;
pub(super) mod trust;
