//! Services that are asked over AWS's Query protocol, without their SDK crates: EC2's alone would double the build.
//!
//! What is sent is signed, retried and timed by the SDK's own runtime, as `aws-config` sends its own requests; its failures
//! are those of a generated client.

mod client;
pub(super) mod ec2;
mod listing;
pub(crate) mod rds;
pub(super) mod transit;
mod xml;

pub(super) use client::QueryClient;
pub(crate) use listing::QueryInput;
use listing::{Listing, QueryAction};

/// A service that speaks the Query protocol.
#[derive(Debug, Clone, Copy)]
pub(super) struct QueryApi {
    /// Its name in the SDK's settings.
    id: &'static str,
    /// Its host, signing name and prefix in policies.
    name: &'static str,
    version: &'static str,
    /// The parameter that asks for the next page.
    page_parameter: &'static str,
}

/// Source: the service model of EC2.
pub(super) const EC2: QueryApi = QueryApi { id: "EC2", name: "ec2", version: "2016-11-15", page_parameter: "NextToken" };

/// Source: the service model of RDS.
pub(super) const RDS: QueryApi = QueryApi { id: "RDS", name: "rds", version: "2014-10-31", page_parameter: "Marker" };
