//! The Lambda platform: timeouts, memory, crashes, and invocations that never start.

use super::fault::Fault;
use super::line::Line;
use super::signature::{LineSpecificity::*, Signature, depends, is};
use crate::lambda_log::{Platform, Record};
use crate::model::Cause;

/// A REPORT names a crash by type only; memory used up to the limit makes it an out-of-memory.
fn crash(line: &Line<'_>) -> Option<Cause> {
    let report = match Record::read(line.text).platform {
        Some(Platform::Report(report) | Platform::RuntimeDone(report)) => report,
        _ => return None,
    };
    let full = report.memory_size_mb.is_some() && report.memory_size_mb == report.max_memory_used_mb;
    Some(match report.status.as_deref() {
        Some("timeout") => Cause::TimeoutAmbiguous,
        _ if full => Cause::LambdaOom,
        Some("error" | "failure") => Cause::FailureMarker,
        _ => return None,
    })
}

pub(super) const SIGNATURES: &[Signature] = &[
    is(Cause::LambdaOom, NamedFault, &[
        r"Runtime\.OutOfMemory",
        r"signal: killed",
        r"JavaScript heap out of memory|java\.lang\.OutOfMemoryError|Cannot allocate memory|fatal error: runtime: out of memory",
        r"System\.OutOfMemoryException",
        r"^(?:\[ERROR\] )?MemoryError\b",
    ])
    .matches(&[
        "RequestId: 3f1c2d4e-0000-4000-8000-123456789012 Error: Runtime exited with error: signal: killed\nRuntime.ExitError",
        "REPORT RequestId: 3f1c\tDuration: 900 ms\tMemory Size: 128 MB\tMax Memory Used: 128 MB\tStatus: error\tError Type: Runtime.OutOfMemory",
        "FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory",
        "OSError: [Errno 12] Cannot allocate memory",
        "[ERROR] MemoryError",
    ])
    .ignores(&["[INFO] memory: 120 of 128 MB used"]),
    // The function's own /tmp: a database names the file of its own that it could not extend.
    is(Cause::CodeUnhandledException, NamedFault, &[
        r"\[Errno 28\] No space left on device|\bENOSPC: no space left on device|write /tmp/\S+: no space left on device",
    ])
    .fault(Fault::TmpFull)
    .matches(&[
        "[ERROR] OSError: [Errno 28] No space left on device: '/tmp/rds-combined-ca-bundle.pem'",
        "Error: ENOSPC: no space left on device, write",
    ])
    .ignores(&["ERROR:  could not extend file \"base/16384/2619\": No space left on device"]),
    is(Cause::LambdaExtensionCrash, NamedFault, &[
        r"Extension\.(?:Crash|InitError|ExitError|LaunchError)",
        r"^EXTENSION\b.*State: (?:LaunchError|InitError|ExitError|Crash)",
        r"extension \S+ (?:crashed|failed to (?:launch|register))",
    ])
    .matches(&[
        "EXTENSION\tName: lambda-insights\tState: LaunchError\tEvents: []\tError Type: PermissionDenied",
        "RequestId: 3f1c Error: exit code 0 Extension.Crash",
    ])
    .ignores(&["EXTENSION\tName: cloudwatch_lambda_agent\tState: Ready\tEvents: [INVOKE,SHUTDOWN]"]),
    is(Cause::LambdaVpcCapacity, NamedFault, &[
        r"EC2ThrottledException|ENILimitReached|EniLimitExceeded|SubnetIPAddressLimitReached|SubnetOutOfIPAddresses|InsufficientFreeAddressesInSubnet",
        r"limit for network interfaces has been reached",
        r"no available IP addresses|not enough (?:free )?(?:IP )?addresses",
        r"throttled by EC2|throttled while using the Lambda Execution Role|EC2 throttled Lambda",
        r"\bNetworkInterfaceLimitExceeded\b",
    ])
    .matches(&[
        "ENILimitReachedException: Lambda couldn't create an elastic network interface in the VPC",
        "Lambda was throttled while using the Lambda Execution Role to set up for the Lambda function.",
        "InsufficientFreeAddressesInSubnet: The specified subnet does not have enough free addresses to satisfy the request.",
    ])
    .ignores(&["[INFO] network interface created in subnet-1"]),
    is(Cause::LambdaVpcConfigInvalid, NamedFault, &[
        r"Invalid(?:SecurityGroupID|SubnetID|SubnetId|SecurityGroup)(?:Exception|\.NotFound|\.Malformed)",
        r"StateReasonCode\W+Invalid(?:Subnet|SecurityGroup)\b",
        r"(?:security group|subnet) ID provided in the Lambda function VPC configuration is not valid",
        r"The (?:subnet|security group) (?:ID )?'?(?:subnet|sg)-\w+'? does not exist",
    ])
    .matches(&[
        "InvalidSubnetIDException: The subnet ID provided in the Lambda function VPC configuration is not valid.",
        "InvalidSubnetID.NotFound: The subnet ID 'subnet-0abc' does not exist",
    ])
    .ignores(&["[INFO] using subnet-0abc"]),
    is(Cause::DeprecatedRuntime, NamedFault, &[
        r"InvalidRuntimeException",
        r"runtime (?:parameter )?of \S+ is no longer supported",
    ])
    .matches(&[
        "InvalidRuntimeException: The runtime or runtime version specified is not supported.",
        "InvalidParameterValueException: The runtime parameter of python3.7 is no longer supported for creating or updating AWS Lambda functions.",
    ])
    .ignores(&["[INFO] runtime python3.12 is supported"]),
    is(Cause::LambdaInactiveTransient, NamedFault, &[
        r"ResourceNotReadyException",
        r"function is (?:currently )?inactive",
        r"operation cannot be performed at this time. The function is currently in the following state: (?:Pending|Inactive)",
    ])
    .matches(&["ResourceNotReadyException: The function is inactive and its VPC connection is no longer available."])
    .ignores(&["[INFO] user app is inactive in the directory"]),
    is(Cause::LambdaThrottledConcurrency, NamedFault, &[
        r"TooManyRequestsException: (?:An error occurred \(TooManyRequestsException\) when calling the Invoke operation|Rate Exceeded|The request throughput limit was exceeded)",
        r"\(TooManyRequestsException\) when calling the Invoke",
        r"ReservedFunctionConcurrentInvocationLimitExceeded|ConcurrentInvocationLimitExceeded|FunctionInvocationRateLimitExceeded|CallerRateLimitExceeded",
        r"concurrent (?:execution|invocation)s? limit (?:was |has been )?(?:exceeded|reached)",
    ])
    .matches(&[
        "TooManyRequestsException: Rate Exceeded.",
        "Reason: ReservedFunctionConcurrentInvocationLimitExceeded",
    ])
    .ignores(&["[INFO] reserved concurrency is 10"]),
    is(Cause::LambdaFunctionMissing, NamedFault, &[
        r"Function not found: arn:aws",
        r"ResourceNotFoundException: Functions? (?:not found|does not exist)",
    ])
    .matches(&["An error occurred (ResourceNotFoundException) when calling the Invoke operation: Function not found: arn:aws:lambda:us-east-1:123456789012:function:rotate"])
    .ignores(&["[INFO] function found: arn:aws:lambda:us-east-1:123456789012:function:rotate"]),
    is(Cause::TimeoutAmbiguous, Timeout, &[
        r"Task timed out after [\d.]+ seconds",
        r"Sandbox\.Timed ?out",
        r"Function timed out after",
        r"^INIT_REPORT\b.*Status: timeout",
    ])
    .matches(&[
        "2025-03-01T12:00:30.000Z 3f1c2d4e-0000-4000-8000-123456789012 Task timed out after 30.03 seconds",
        "{\"errorType\":\"Sandbox.Timedout\",\"errorMessage\":\"RequestId: 3f1c Error: Task timed out after 3.00 seconds\"}",
    ])
    .ignores(&["[INFO] the task's timeout is 30.00 seconds", "password rotation timeout set to 30"]),
    depends(crash, Timeout, &[r"^(?:REPORT|RUNTIME_DONE) RequestId: "])
    .matches(&[
        "REPORT RequestId: 3f1c\tDuration: 30000.00 ms\tBilled Duration: 30000 ms\tMemory Size: 128 MB\tMax Memory Used: 70 MB\tStatus: timeout",
        "REPORT RequestId: 3f1c\tDuration: 90.00 ms\tBilled Duration: 90 ms\tMemory Size: 128 MB\tMax Memory Used: 128 MB\tStatus: error\tError Type: Runtime.ExitError",
    ])
    .ignores(&["REPORT RequestId: 3f1c\tDuration: 1 ms\tBilled Duration: 1 ms\tMemory Size: 128 MB\tMax Memory Used: 70 MB"]),
    is(Cause::FailureMarker, Marker, &[
        r"Error when executing lambda",
        r"LAMBDA_WARNING: Unhandled exception",
        r"Traceback \(most recent call last\)",
        r"Status: (?:error|failure)\b",
        r"Encountered error while verifying",
    ])
    .matches(&[
        "Error when executing lambda arn:aws:lambda:us-east-2:123456789012:function:f during setSecret step",
        "Traceback (most recent call last):",
        "REPORT RequestId: 3f1c\tDuration: 90.00 ms\tBilled Duration: 90 ms\tMemory Size: 128 MB\tMax Memory Used: 64 MB\tStatus: error\tError Type: Runtime.ExitError",
    ])
    .ignores(&["REPORT RequestId: 3f1c\tDuration: 1 ms\tStatus: success"]),
    // A wrapper that keeps the reason to itself: its exception says no more than that it failed.
    is(Cause::FailureMarker, UnhandledException, &[
        r"Failed to load secret from",
        r"Runtime exited (?:with error|without providing a reason)|Process exited before completing request|\bSegmentation fault\b",
        r"^(?:REPORT|RUNTIME_DONE|INIT_REPORT)\b.*Runtime\.(?:ExitError|Unknown)\b",
    ])
        .matches(&[
            "[ERROR] Exception: Failed to load secret from a: x\nTraceback (most recent call last):",
            "RequestId: 3f1c Error: Runtime exited with error: exit status 1\nRuntime.ExitError",
            "RequestId: 3f1c Process exited before completing request",
            "Fatal Python error: Segmentation fault",
        ])
        .ignores(&["[INFO] Successfully retrieved current secret for a."]),
];
