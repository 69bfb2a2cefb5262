//! Active Directory and LDAP.

use super::fault::Fault;
use super::signature::{LineSpecificity::*, Signature, is};
use crate::model::{Cause, RotationStep::*};

pub(super) const SIGNATURES: &[Signature] = &[
    is(Cause::DirectoryKinitFailed, NamedFault, &[
        r"Unable to reset the user.{0,4}s password in Directory Services",
        r"Failed to (?:create|set) .*keytab",
    ])
    .engine("active-directory")
    .step(SetSecret)
    .matches(&[
        "[ERROR] ValueError: Unable to reset the users password in Directory Services",
        "setSecret: Failed to set the user's keytab for directory a, user app, and arn b. c",
    ])
    .ignores(&["[INFO] Setting the new keytab value(s)..."]),
    is(Cause::DirectoryKinitFailed, NamedFault, &[r"Principals in secret do not match principals in keytab"])
        .engine("active-directory")
        .fault(Fault::KeytabPrincipals)
        .matches(&["[ERROR] Exception: Principals in secret do not match principals in keytab. If the principals in secret were updated in error or by an unauthorized party, please manually review the principals immediately."])
        .ignores(&["[INFO] the principals in the secret match the keytab"]),
    is(Cause::DirectoryKinitFailed, NamedFault, &[
        r"Failed to (?:split|validate) .*keytab|Failed to create or validate new keytab|Failed to get principal slots",
        r"Keytab (?:failed to create|validation failed)|keytabs failed validation|(?:Validation failed|Failed to set keytab) for \d+/\d+ keytab",
    ])
    .engine("active-directory")
    .fault(Fault::KeytabInvalid)
    .matches(&[
        "[ERROR] Exception: Failed to split keytab: x",
        "[ERROR] ValueError: Failed to get principal slots: x",
        "testSecret: One or more keytabs failed validation for directory a and user app",
    ])
    .ignores(&["[INFO] the keytab was validated"]),
    is(Cause::SecretJsonInvalid, SecretContent, &[r"check_inputs: Invalid character in username"])
        .engine("active-directory")
        .fault(Fault::BadCharacter)
        .matches(&["[ERROR] ValueError: check_inputs: Invalid character in username"])
        .ignores(&["[INFO] check_inputs: done"]),
    is(Cause::DbPasswordPolicyOrChars, SecretContent, &[r"check_inputs: Invalid character in password"])
        .engine("active-directory")
        .matches(&["[ERROR] ValueError: check_inputs: Invalid character in password"])
        .ignores(&["[INFO] check_inputs: done"]),
    // Active Directory's codes stand in hexadecimal before its words. Source: Microsoft's system error codes: 0000052D is
    // ERROR_PASSWORD_RESTRICTION; RFC 4511: result 19 is constraintViolation.
    is(Cause::DbPasswordPolicyOrChars, NamedFault, &[
        r"\b0000052D\b",
        r"\bInvalidPasswordException\b.*(?:ResetUserPassword|director)",
        r"\bLDAPConstraintViolation\w*|ldap\.CONSTRAINT_VIOLATION|LDAP: error code 19\b|LDAP Result Code 19\b",
    ])
    .engine("active-directory")
    .fault(Fault::DirectoryPassword)
    .matches(&[
        "ldap3.core.exceptions.LDAPConstraintViolationResult: LDAPConstraintViolationResult - 19 - constraintViolation - None - 0000052D: AtrErr: DSID-03191083, problem 1005 (CONSTRAINT_ATT_TYPE)",
        "An error occurred (InvalidPasswordException) when calling the ResetUserPassword operation: The new password does not satisfy the password policy",
    ])
    .ignores(&["[INFO] code 0000052D was expected"]),
    // 0000001F is ERROR_GEN_FAILURE: so Active Directory answers where a password comes without encryption.
    is(Cause::DirectoryKinitFailed, NamedFault, &[
        r"\b0000001F: SvcErr\b",
        r"\bLDAPConfidentialityRequired\w*|ldap\.CONFIDENTIALITY_REQUIRED|LDAP: error code 13\b|LDAP Result Code 13\b",
    ])
    .engine("active-directory")
    .fault(Fault::DirectoryNeedsTls)
    .matches(&[
        "ldap3.core.exceptions.LDAPUnwillingToPerformResult: LDAPUnwillingToPerformResult - 53 - unwillingToPerform - None - 0000001F: SvcErr: DSID-031A12D2, problem 5003 (WILL_NOT_PERFORM), data 0",
    ])
    .ignores(&["[INFO] StartTLS succeeded"]),
    // Source: Microsoft, "Common Active Directory bind errors": the code behind `data`.
    is(Cause::DirectoryKinitFailed, NamedFault, &[r"AcceptSecurityContext error, data (?:525|530|531|532|533|701|773|775)\b"])
        .engine("active-directory")
        .fault(Fault::DirectoryAccount)
        .matches(&[
            "ldap3.core.exceptions.LDAPInvalidCredentialsResult: LDAPInvalidCredentialsResult - 49 - invalidCredentials - None - 80090308: LdapErr: DSID-0C090439, comment: AcceptSecurityContext error, data 775, v4563",
        ])
        .ignores(&["[INFO] the account is not locked"]),
    is(Cause::DirectoryKinitFailed, NamedFault, &[
        r"(?:EntityDoesNotExist|UserDoesNotExist)Exception.*(?:ResetUserPassword|director)",
    ])
    .engine("active-directory")
    .fault(Fault::DirectoryUserGone)
    .matches(&["An error occurred (UserDoesNotExistException) when calling the ResetUserPassword operation: User svc-orders does not exist."])
    .ignores(&["[INFO] the user exists in the directory"]),
    is(Cause::DirectoryKinitFailed, NamedFault, &[r"\(\w+\) when calling the ResetUserPassword operation"])
        .engine("active-directory")
        .fault(Fault::ApiRefused)
        .matches(&["An error occurred (UnsupportedOperationException) when calling the ResetUserPassword operation: Operation is not supported on AD Connector"])
        .ignores(&["[INFO] ResetUserPassword succeeded"]),
    // What the template calls are kinit, ktutil and msktutil.
    is(Cause::DirectoryKinitFailed, NamedFault, &[r"Subprocess command failed: \d+"])
        .engine("active-directory")
        .matches(&["[ERROR] ValueError: Subprocess command failed: 1 b'' b''"])
        .ignores(&["[INFO] Subprocess command succeeded"]),
    is(Cause::DirectoryKinitFailed, NamedFault, &[
        r"kinit failed|execute_kinit_command: Unexpected value",
        r"directory name list \S+ does not match pending directory name list",
        r"\bkinit: ",
        r"\bKDC (?:has no support|reply did not match|can't fulfill|policy rejects)|Cannot (?:find|contact any) KDC|KDC_ERR_|KRB5\w*_ERR|KRB5KDC",
        r"Preauthentication failed|Client '?\S*'? not found in Kerberos database|Clients credentials have been revoked|Clock skew too great",
        r"DirectoryUnavailableException.*director",
        r"\bLDAP\w*(?:InvalidCredentials|ServerDown|Bind)\w*|invalidCredentials\b|ldap\.(?:INVALID_CREDENTIALS|SERVER_DOWN|INSUFFICIENT_ACCESS|UNWILLING_TO_PERFORM)|\bLDAPUnwillingToPerform\w*",
        r"LDAP: error code (?:49|50|53)|AcceptSecurityContext error|\bLDAP_INVALID_CREDENTIALS|LDAP Result Code (?:49|50|53)\b",
        r"LdapException: The (?:supplied credential is invalid|LDAP server is unavailable|server cannot handle directory requests)",
        r"\binsufficientAccessRights\b|\bINSUFF_ACCESS_RIGHTS\b",
        r"(?:80090308|52e, v)",
    ])
    .engine("active-directory")
    .matches(&[
        "[ERROR] ValueError: execute_kinit_command: kinit failed",
        "kinit: Preauthentication failed while getting initial credentials",
        "kinit: Cannot contact any KDC for realm 'CORP.EXAMPLE.COM' while getting initial credentials",
        "ldap3.core.exceptions.LDAPInvalidCredentialsResult: LDAPInvalidCredentialsResult - 49 - invalidCredentials - None - 80090308: LdapErr: DSID-0C090447, comment: AcceptSecurityContext error, data 52e, v3839",
        "javax.naming.AuthenticationException: [LDAP: error code 49 - 80090308: LdapErr: DSID-0C09042A, comment: AcceptSecurityContext error, data 52e, v3839]",
        "ldap3.core.exceptions.LDAPInsufficientAccessRightsResult: LDAPInsufficientAccessRightsResult - 50 - insufficientAccessRights - None - 00000005: SecErr: DSID-03152E13, problem 4003 (INSUFF_ACCESS_RIGHTS), data 0",
        "ldap.SERVER_DOWN: {'desc': \"Can't contact LDAP server\"}",
    ])
    .ignores(&[
        "[INFO] execute_kinit_command: Proceed to current secret since pending secret does not authenticate",
        "[INFO] kinit succeeded",
    ]),
];
