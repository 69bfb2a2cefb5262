//! What DNS does in a VPC.

use crate::aws::Aws;
use crate::aws::query::{QueryAction, QueryClient};
use serde::Deserialize;

/// One attribute of a VPC.
pub(in crate::aws) struct DescribeVpcAttribute;

impl QueryAction for DescribeVpcAttribute {
    const ACTION: &'static str = "DescribeVpcAttribute";
    const CALL: &'static str = "ec2:DescribeVpcAttribute";
    type Answer = VpcAttribute;

    fn client(aws: &Aws) -> &QueryClient {
        &aws.ec2
    }
}

/// The attribute that was asked for; the other one is not there.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::aws) struct VpcAttribute {
    enable_dns_support: Option<WireFlag>,
    enable_dns_hostnames: Option<WireFlag>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct WireFlag {
    value: bool,
}

impl VpcAttribute {
    /// Whether the attribute is on.
    pub(in crate::aws) fn is_on(&self) -> Option<bool> {
        let flag = self.enable_dns_support.as_ref().or(self.enable_dns_hostnames.as_ref());
        flag.map(|flag| flag.value)
    }
}
