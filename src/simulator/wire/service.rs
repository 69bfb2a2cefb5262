//! The services that the simulator plays, and what their dialects call them.

/// The services the simulator plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    SecretsManager,
    Logs,
    CloudTrail,
    Kms,
    Health,
    Lambda,
    Iam,
    Sts,
    CloudWatch,
    Ec2,
    Rds,
}

impl Service {
    pub(super) const ALL: [Service; 11] = [
        Service::SecretsManager,
        Service::Logs,
        Service::CloudTrail,
        Service::Kms,
        Service::Health,
        Service::Lambda,
        Service::Iam,
        Service::Sts,
        Service::CloudWatch,
        Service::Ec2,
        Service::Rds,
    ];

    /// The prefix of its actions in policies.
    pub(crate) const fn iam_prefix(self) -> &'static str {
        match self {
            Service::SecretsManager => "secretsmanager",
            Service::Logs => "logs",
            Service::CloudTrail => "cloudtrail",
            Service::Kms => "kms",
            Service::Health => "health",
            Service::Lambda => "lambda",
            Service::Iam => "iam",
            Service::Sts => "sts",
            Service::CloudWatch => "cloudwatch",
            Service::Ec2 => "ec2",
            Service::Rds => "rds",
        }
    }

    /// Its name in the credential scope of a signature.
    pub(super) const fn signing_name(self) -> &'static str {
        match self {
            Service::CloudWatch => "monitoring",
            other => other.iam_prefix(),
        }
    }

    const fn target_prefix(self) -> Option<&'static str> {
        match self {
            Service::SecretsManager => Some("secretsmanager"),
            Service::Logs => Some("Logs_20140328"),
            Service::CloudTrail => Some("CloudTrail_20131101"),
            Service::Kms => Some("TrentService"),
            Service::Health => Some("AWSHealth_20160804"),
            Service::CloudWatch => Some("GraniteServiceVersion20100801"),
            Service::Lambda | Service::Iam | Service::Sts | Service::Ec2 | Service::Rds => None,
        }
    }

    /// botocore writes CloudTrail's prefix with its Java package in front, the Rust SDK without.
    pub(super) fn of_target(prefix: &str) -> Option<Self> {
        let prefix = prefix.rsplit('.').next()?;
        Service::ALL.into_iter().find(|service| service.target_prefix() == Some(prefix))
    }

    pub(super) const fn xml_namespace(self) -> &'static str {
        match self {
            Service::Iam => "https://iam.amazonaws.com/doc/2010-05-08/",
            Service::Sts => "https://sts.amazonaws.com/doc/2011-06-15/",
            Service::Ec2 => "http://ec2.amazonaws.com/doc/2016-11-15/",
            Service::Rds => "http://rds.amazonaws.com/doc/2014-10-31/",
            _ => "http://monitoring.amazonaws.com/doc/2010-08-01/",
        }
    }
}
