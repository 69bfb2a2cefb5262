//! How a connection ends, and what follows.

/// Why the gateway cannot be used until an operator acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum GatewayError {
    /// The token is wrong, or was reset.
    #[error("Discord does not accept the bot's token: copy it anew from the developer portal, page Bot")]
    TokenRefused,
    /// An intent that the application may not use.
    #[error("Discord does not allow the bot what it asks to hear of: see the developer portal, page Bot, privileged intents")]
    IntentsRefused,
    /// The gateway wants something this program cannot do.
    #[error("Discord closed the connection for good with code {0}: this version of rotation-diag cannot use it")]
    Unusable(u16),
}

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// We were asked to stop.
    Stopped,
    /// It broke, or it is to be opened anew: the session can be resumed.
    Broken,
    /// The session cannot be resumed.
    SessionOver,
    /// Trying again would not help.
    Final(GatewayError),
}

/// What a close code means. Source: Discord developer documentation, "Gateway Close Event Codes".
pub(super) fn of_close(code: Option<u16>) -> End {
    match code {
        Some(4_004) => End::Final(GatewayError::TokenRefused),
        Some(4_013 | 4_014) => End::Final(GatewayError::IntentsRefused),
        Some(code @ 4_010..=4_012) => End::Final(GatewayError::Unusable(code)),
        // Not authenticated, an invalid sequence, a session that timed out.
        Some(4_003 | 4_007 | 4_009) => End::SessionOver,
        // Discord's machines take their leave with 1001, and their sessions outlive them; where one does not, resuming it is
        // refused. Only a client that closes with 1000 or 1001 ends its session by that.
        _ => End::Broken,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn final_codes_are_final_and_all_others_come_back() {
        for code in (1_000..=1_015).chain(4_000..=4_020) {
            let expected = match code {
                4_004 => End::Final(GatewayError::TokenRefused),
                4_013 | 4_014 => End::Final(GatewayError::IntentsRefused),
                4_010..=4_012 => End::Final(GatewayError::Unusable(code)),
                4_003 | 4_007 | 4_009 => End::SessionOver,
                _ => End::Broken,
            };
            assert_eq!(of_close(Some(code)), expected, "{code}");
        }
        assert_eq!(of_close(None), End::Broken);
    }
}
