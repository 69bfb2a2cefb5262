//! Active Directory and LDAP.

use super::signature::{Signature, Specificity::*, is};
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
    is(Cause::DirectoryKinitFailed, NamedFault, &[
        r"kinit failed|execute_kinit_command: Unexpected value",
        r"Failed to (?:split|validate) .*keytab",
        r"Keytab (?:failed to create|validation failed)",
        r"directory name list \S+ does not match pending directory name list",
        r"\bkinit: ",
        r"\bKDC (?:has no support|reply did not match|can't fulfill|policy rejects)|Cannot (?:find|contact any) KDC|KDC_ERR_|KRB5\w*_ERR|KRB5KDC",
        r"Preauthentication failed|Client '?\S*'? not found in Kerberos database|Clients credentials have been revoked|Clock skew too great",
        r"(?:EntityDoesNotExist|InvalidPassword|UserDoesNotExist|DirectoryUnavailable)Exception.*(?:ResetUserPassword|director)",
        r"when calling the ResetUserPassword operation",
        r"\bLDAP\w*(?:InvalidCredentials|ServerDown|Bind)\w*|invalidCredentials\b|ldap\.(?:INVALID_CREDENTIALS|SERVER_DOWN|INSUFFICIENT_ACCESS|CONSTRAINT_VIOLATION)",
        r"LDAP: error code (?:49|50|53|19)|AcceptSecurityContext error|\bLDAP_INVALID_CREDENTIALS|LDAP Result Code 49",
        r"(?:80090308|0000052D|52e, v)",
    ])
    .engine("active-directory")
    .matches(&[
        "[ERROR] ValueError: execute_kinit_command: kinit failed",
        "kinit: Preauthentication failed while getting initial credentials",
        "kinit: Cannot contact any KDC for realm 'CORP.EXAMPLE.COM' while getting initial credentials",
        "ldap3.core.exceptions.LDAPInvalidCredentialsResult: LDAPInvalidCredentialsResult - 49 - invalidCredentials - None - 80090308: LdapErr: DSID-0C090447, comment: AcceptSecurityContext error, data 52e, v3839",
        "javax.naming.AuthenticationException: [LDAP: error code 49 - 80090308: LdapErr: DSID-0C09042A, comment: AcceptSecurityContext error, data 52e, v3839]",
        "ldap.SERVER_DOWN: {'desc': \"Can't contact LDAP server\"}",
        "[ERROR] Exception: Failed to split keytab: x",
    ])
    .ignores(&[
        "[INFO] execute_kinit_command: Proceed to current secret since pending secret does not authenticate",
        "[INFO] kinit succeeded",
    ]),
];
