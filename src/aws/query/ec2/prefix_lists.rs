//! Prefix lists that the customer manages, and those of AWS.

use crate::aws::Aws;
use crate::aws::query::xml::list;
use crate::aws::query::{Listing, QueryAction, QueryClient};
use crate::model::IpRange;
use serde::Deserialize;

/// The entries of a prefix list, which EC2 gives by no call whose name begins with `Describe`.
pub(in crate::aws) struct GetManagedPrefixListEntries;

impl QueryAction for GetManagedPrefixListEntries {
    const ACTION: &'static str = "GetManagedPrefixListEntries";
    const CALL: &'static str = "ec2:GetManagedPrefixListEntries";
    type Answer = PrefixListEntries;

    fn client(aws: &Aws) -> &QueryClient {
        &aws.ec2
    }
}

impl Listing for GetManagedPrefixListEntries {
    type Item = IpRange;

    fn page(answer: PrefixListEntries) -> (Vec<IpRange>, Option<String>) {
        (answer.entries.into_iter().filter_map(|entry| entry.cidr.parse().ok()).collect(), answer.next)
    }
}

#[derive(Debug, Deserialize)]
pub(in crate::aws) struct PrefixListEntries {
    #[serde(rename = "entrySet", deserialize_with = "list")]
    entries: Vec<WirePrefixListEntry>,
    #[serde(rename = "nextToken")]
    next: Option<String>,
}

#[derive(Debug, Deserialize)]
struct WirePrefixListEntry {
    cidr: String,
}
