//! An environment in which nothing of this machine decides what the program does.

/// No home, no AWS configuration, no credentials of a machine.
pub(crate) const NO_ACCOUNT: [(&str, &str); 4] = [
    ("HOME", "/nonexistent"),
    ("AWS_EC2_METADATA_DISABLED", "true"),
    ("AWS_CONFIG_FILE", "/nonexistent/config"),
    ("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent/credentials"),
];
