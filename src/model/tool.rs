//! What made a change: the tool or console behind an API call.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The tool that made an API call, as far as the call's record tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tool {
    /// CloudFormation, with the stack's name where the call carries its tag.
    CloudFormation {
        stack: Option<String>,
    },
    /// The CDK, which deploys by CloudFormation in roles of its own.
    Cdk,
    Terraform,
    OpenTofu,
    Pulumi,
    Ansible,
    ManagementConsole,
    /// The AWS command line.
    Cli,
    /// A program that uses one of AWS's SDKs.
    Sdk,
}

impl Tool {
    /// True for a tool that writes what its code says, whatever changed meanwhile.
    #[must_use]
    pub const fn applies_code(&self) -> bool {
        !matches!(self, Tool::ManagementConsole | Tool::Cli | Tool::Sdk)
    }
}

impl fmt::Display for Tool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Tool::CloudFormation { stack: Some(stack) } => return write!(f, "the CloudFormation stack {stack}"),
            Tool::CloudFormation { stack: None } => "CloudFormation",
            Tool::Cdk => "the CDK",
            Tool::Terraform => "Terraform",
            Tool::OpenTofu => "OpenTofu",
            Tool::Pulumi => "Pulumi",
            Tool::Ansible => "Ansible",
            Tool::ManagementConsole => "the console",
            Tool::Cli => "the AWS CLI",
            Tool::Sdk => "a program with an AWS SDK",
        })
    }
}
