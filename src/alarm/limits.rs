//! What the endpoint spends on messages.

use std::time::Duration;

/// The largest body, in bytes.
///
/// Source: SNS Developer Guide, "Quotas": a message has at most 256 KiB, which JSON writes in up to six times as many
/// bytes; the rest is for the envelope.
pub(super) const MAX_BODY_BYTES: usize = 2 << 20;

/// What the endpoint spends on messages. The times of one answer stay together below the fifteen seconds after which SNS
/// gives up on it.
#[derive(Debug, Clone, Copy)]
pub struct EndpointLimits {
    /// Bytes of bodies that are held at once. One that comes slowly holds little, so it keeps nobody else out.
    pub held: usize,
    /// How long the next part of a body waits for room.
    pub room: Duration,
    /// How long a body may take.
    pub body: Duration,
    /// How long fetching a certificate may take.
    pub certificate: Duration,
    /// How long keeping a message may take, or confirming a subscription.
    pub intake: Duration,
}

impl Default for EndpointLimits {
    fn default() -> EndpointLimits {
        let seconds = Duration::from_secs;
        EndpointLimits {
            held: 64 * MAX_BODY_BYTES,
            room: Duration::from_millis(500),
            body: seconds(5),
            certificate: seconds(5),
            intake: seconds(4),
        }
    }
}
