//! ElastiCache, MemoryDB, Redis and Valkey.

use super::fault::Fault;
use super::signature::{LineSpecificity::*, Signature, is};
use crate::model::Cause;

pub(super) const SIGNATURES: &[Signature] = &[
    is(Cause::DbAuthFailed, NamedFault, &[
        r"(?-i:\bWRONGPASS\b)|(?-i:\bNOAUTH\b)|invalid username-password pair or user is disabled|ERR invalid password|AUTH <password> called without",
    ])
    .engine("elasticache")
    .matches(&[
        "redis.exceptions.AuthenticationError: WRONGPASS invalid username-password pair or user is disabled.",
        "ReplyError: NOAUTH Authentication required.",
    ])
    .ignores(&["[INFO] AUTH accepted"]),
    is(Cause::TargetServiceError, NamedFault, &[r"(?-i:\bOOM command not allowed)|(?-i:\bMISCONF\b) Redis is configured"])
        .engine("elasticache")
        .fault(Fault::ServerError)
        .matches(&["redis.exceptions.OutOfMemoryError: OOM command not allowed when used memory > 'maxmemory'."])
        .ignores(&["[INFO] the command is allowed"]),
    is(Cause::DbNetworkUnreachable, NamedFault, &[r"(?-i:\bLOADING\b) .{0,20}is loading the dataset|BusyLoadingError|(?-i:\bMASTERDOWN\b)|(?-i:\bCLUSTERDOWN\b)"])
        .engine("elasticache")
        .answered()
        .fault(Fault::NotAccepting)
        .matches(&["redis.exceptions.BusyLoadingError: LOADING Redis is loading the dataset in memory"])
        .ignores(&["[INFO] loading the dataset"]),
    is(Cause::DbPermissionInsufficient, NamedFault, &[
        r"(?-i:\bNOPERM\b)|this user has no permissions to run the",
    ])
    .engine("elasticache")
    .matches(&["redis.exceptions.NoPermissionError: NOPERM this user has no permissions to run the 'acl|setuser' command"])
    .ignores(&["[INFO] permissions of user app set"]),
    is(Cause::DbNetworkUnreachable, NamedFault, &[
        r"redis\.exceptions\.(?:ConnectionError|TimeoutError)|Error \d+ connecting to \S+:\d+|JedisConnectionException|RedisConnectionException|ClusterAllFailedError: Failed to refresh slots cache",
    ])
    .engine("elasticache")
    .matches(&["redis.exceptions.TimeoutError: Timeout connecting to server"])
    .ignores(&["[INFO] connecting to cache.example.internal:6379"]),
    is(Cause::DbPasswordPolicyOrChars, NamedFault, &[
        r"Passwords? (?:length )?must be between \d+ and \d+|AUTH token .{0,40}(?:invalid|must)|passwords? must (?:be|have) .{0,40}characters",
    ])
    .matches(&["InvalidParameterValue: Passwords length must be between 16-128 characters. Passwords must be between 16 and 128 characters"])
    .ignores(&["[INFO] password of 32 characters generated"]),
];
