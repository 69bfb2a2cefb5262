//! Normal lines that look like faults. They are asked first: what is normal needs no cause.

use super::line::Line;
use super::signature::{LineSpecificity::*, Signature, depends, is};
use crate::lambda_log::Level;
use crate::model::Cause;

/// The first rotation finds no previous version; the templates catch that.
fn previous_is_missing(line: &Line<'_>) -> Option<Cause> {
    (line.handled || line.level() != Level::Error).then_some(Cause::Benign)
}

pub(super) const SIGNATURES: &[Signature] = &[
    is(Cause::Benign, Normal, &[
        r"DeprecationWarning|InsecureRequestWarning|ExperimentalWarning|\[DEP\d{4}\]",
        r"\bWarning: \(\d+, .*deprecated",
        r"maintenance mode .* AWS SDK|NodeVersionSupportWarning|NodeDeprecationWarning",
    ])
    .matches(&[
        "/var/task/pymysql/cursors.py:170: Warning: (1287, \"'SET PASSWORD = PASSWORD('<plaintext_password>')' is deprecated",
        "/var/task/urllib3/connectionpool.py:1061: InsecureRequestWarning: Unverified HTTPS request is being made to host 'api.example.com'.",
        "(node:8) NodeDeprecationWarning: The AWS SDK for JavaScript (v3) will no longer support Node.js 16.x",
    ]),
    // Telemetry that does not get through costs a trace, never a rotation.
    is(Cause::Benign, Normal, &[
        r"^\W*(?:DD_EXTENSION|NR_EXT|TELEMETRY|otelcol)\b",
        r"cannot find the current segment|No segment found, cannot begin subsegment|Missing AWS Lambda trace data for X-Ray",
        r"(?-i:\bSENTRY|\bSentry|\bRollbar|\bBugsnag)\b.{0,20}\bfailed to (?:send|flush|deliver)\b",
        r"Failed to export (?:the )?(?:spans?|traces?|metrics|logs|batch)\b|Exporting failed\. ",
    ])
    .matches(&[
        "DD_EXTENSION | ERROR | no traces were flushed: context deadline exceeded",
        "[NR_EXT] Telemetry client error: Post \"https://cloud-collector.newrelic.com/aws/lambda/v1\": context deadline exceeded",
        "[ERROR] cannot find the current segment/subsegment, please make sure you have a segment open",
        "Failed to export span batch code: 503, reason: Service Unavailable",
        "SENTRY - failed to send event: connect ETIMEDOUT",
    ]),
    is(Cause::Benign, Normal, &[
        r"Proceed to current secret since pending secret does not authenticate",
        r"Could not read bytes from file",
        r"Expected AWSPENDING stage for .* but only AWSCURRENT was found",
        r"No principals (?:to validate|specified)|Principals of existing keytab could not be validated",
        r"is not a service-linked secret, so it does not have a tag",
        r"not present in Metadata System Tags",
    ])
    .matches(&[
        "[INFO] execute_kinit_command: Proceed to current secret since pending secret does not authenticate",
        "[WARNING] setSecret: DB Instance ARN not present in Metadata System Tags for secret a",
    ]),
    depends(previous_is_missing, Normal, &[r"find the specified secret value for staging label: AWSPREVIOUS"])
    .matches(&["An error occurred (ResourceNotFoundException) when calling the GetSecretValue operation: Secrets Manager can't find the specified secret value for staging label: AWSPREVIOUS"]),
];
