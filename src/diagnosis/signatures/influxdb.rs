//! The InfluxDB templates.

use super::fault::Fault;
use super::signature::{LineSpecificity::*, Signature, is};
use crate::model::{Cause, RotationStep::*};

pub(super) const SIGNATURES: &[Signature] = &[
    is(Cause::CodeMissingEnv, Code, &[r"Authentication creation has not been enabled"])
        .engine("influxdb")
        .step(CreateSecret)
        .fault(Fault::TokenMakingOff)
        .matches(&["[ERROR] ValueError: Authentication creation has not been enabled to allow the Lambda function to create tokens."])
        .ignores(&["authentication has been enabled"]),
    is(Cause::SecretUsernameChanged, SecretContent, &[
        r"tokens failed user equality test",
        r"Current and pending secrets do not have the same token types",
    ])
        .engine("influxdb")
        .step(SetSecret)
        .fault(Fault::KindChanged)
        .matches(&[
            "[ERROR] ValueError: Current and pending tokens failed user equality test for secret ARN a.",
            "[ERROR] ValueError: Current and pending secrets do not have the same token types for secret ARN a.",
        ])
        .ignores(&["set_secret: Successfully completed."]),
    is(Cause::SecretJsonInvalid, SecretContent, &[r"must fit the format <action>-<type>"])
        .engine("influxdb")
        .fault(Fault::BadField)
        .matches(&["[ERROR] ValueError: Permission write must fit the format <action>-<type>, for example write-tasks."])
        .ignores(&["[INFO] permission write-tasks fits"]),
    is(Cause::SecretJsonKeyMissing, SecretContent, &[
        r"token value must be set when rotating an operator token",
        r"is not a valid token type",
    ])
    .engine("influxdb")
    .matches(&[
        "[ERROR] KeyError: 'The token value must be set when rotating an operator token.'",
        "[ERROR] KeyError: 'x is not a valid token type.'",
    ])
    .ignores(&["operator token rotated"]),
    is(Cause::SuperuserMetadataNotFound, SecretContent, &[r"Invalid endpoint info for InfluxDB instance"])
        .engine("influxdb")
        .matches(&["[ERROR] KeyError: 'Invalid endpoint info for InfluxDB instance.'"])
        .ignores(&["[INFO] endpoint of the InfluxDB instance found"]),
    is(Cause::DbAuthFailed, NamedFault, &[
        r"Failed to find the current secret token defined in the InfluxDB instance",
        r"(?:influx.*unauthorized access|unauthorized access.*influx)",
    ])
    .engine("influxdb")
    .matches(&[
        "[ERROR] ValueError: Failed to find the current secret token defined in the InfluxDB instance.",
        "influxdb_client.rest.ApiException: (401) Reason: Unauthorized {\"code\":\"unauthorized\",\"message\":\"unauthorized access\"}",
    ])
    .ignores(&["create_secret: Successfully created new authorization for ARN a and version 7b2a."]),
    is(Cause::DbPermissionInsufficient, NamedFault, &[
        r"Failed to set new authorization with secret ARN",
        r"No permissions were set for token creation|Failed to copy or create a new token",
    ])
    .engine("influxdb")
    .matches(&[
        "[ERROR] ValueError: a: Failed to set new authorization with secret ARN b c.",
        "[ERROR] ValueError: No permissions were set for token creation.",
    ])
    .ignores(&["[INFO] permissions were set for token creation"]),
    is(Cause::DbLoginAmbiguous, AmbiguousLogin, &[r"Connection failure with secret ARN"])
        .engine("influxdb")
        .matches(&["[ERROR] a: Connection failure with secret ARN b c."])
        .ignores(&["[INFO] connected with secret ARN b"]),
];
