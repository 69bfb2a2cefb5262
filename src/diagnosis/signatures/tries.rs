//! One event, cut into the tries it tells of.
//!
//! libpq tries with TLS and then without, and one address after the other; drivers and retry loops join what each try
//! said; Python prints the exception that was being handled before the one that ended it. Each try is read on its own, so
//! that the answer to the first is not taken for the answer to the next.

use regex::Regex;
use std::sync::LazyLock;

/// An event tells of no more tries than this; what follows stays with the last one.
const MAX_TRIES: usize = 32;

static START: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        // Python's chains and exception groups, Java's suppressed and .NET's aggregated exceptions.
        r"(?m)^(?P<handled>During handling of the above exception, another exception occurred:)|",
        r"^The above exception was the direct cause of the following exception:|^[ |]*\+(?:-\+)?-+ \d+ -+$|",
        r"^\s*Suppressed: |---> \(Inner Exception #\d+\)|",
        // libpq, psycopg 3, pgx.
        r"^connection to server (?:at|on) |^(?:FATAL|ERROR|PANIC): |^- host: '|^\s+\S+:\d+ \(\S*\): |",
        r"^(?:could not connect to server|could not translate host name|server closed the connection|SSL error|SSL SYSCALL error|",
        r"SSL connection has been closed|received invalid response to SSL negotiation)\b|",
        // Retry loops: `attempt 2 of 3: …`.
        r"(?:^|[;,|]\s*|\)\s+)(?i:attempt|try|retry)\s*#?\d+(?:\s*(?:of|/)\s*\d+)?\s*(?i:failed)?\s*[:)\]-]\s|",
        // MongoDB: `host:port: reason,host:port: reason`.
        r",\s?[A-Za-z0-9][\w.-]*:\d{2,5}: "
    ))
    .ok()
});

/// A try as the event tells of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Try<'a> {
    pub(super) text: &'a str,
    /// What was being handled when the next exception came: it did not end the invocation by itself.
    pub(super) handled: bool,
}

/// The tries `text` tells of, in their order; one where it tells of no more.
pub(super) fn of(text: &str) -> Vec<Try<'_>> {
    let Some(start) = START.as_ref() else { return vec![Try { text, handled: false }] };
    let mut tries = Vec::new();
    let mut from = 0;
    for found in start.captures_iter(text).take(MAX_TRIES) {
        let Some(whole) = found.get(0) else { continue };
        let handled = found.name("handled").is_some();
        tries.extend(text.get(from..whole.start()).filter(|piece| !piece.trim().is_empty()).map(|text| Try { text, handled }));
        from = whole.start();
    }
    tries.extend(text.get(from..).map(|text| Try { text, handled: false }));
    tries
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<&str> {
        of(text).into_iter().map(|one| one.text.trim()).collect()
    }

    #[test]
    fn each_driver_says_in_its_own_way_that_it_tried_again() {
        for (text, count) in [
            (
                "connection to server at \"db\", port 5432 failed: FATAL:  a\nconnection to server at \"db\", port 5432 failed: FATAL:  b",
                2,
            ),
            ("psycopg2.OperationalError: FATAL:  a\nFATAL:  b\n", 2),
            (
                "failed to connect to `user=app database=app`:\n\t10.0.0.5:5432 (db): server error: FATAL: a\n\t10.0.0.6:5432 (db): b",
                3,
            ),
            (
                "connection failed: a\nMultiple connection attempts failed. All failures were:\n- host: 'db', port: 5432: a\n- host: 'db': b",
                3,
            ),
            ("FATAL:  the database system is starting up\nserver closed the connection unexpectedly\n\tThis probably means", 2),
            ("attempt 1 of 2: Connection refused; attempt 2 of 2: Access denied for user", 2),
            ("a:27017: [Errno 111] Connection refused,b:27017: SSL handshake failed", 2),
            (
                "KeyError: 'x'\n\nDuring handling of the above exception, another exception occurred:\n\nTraceback\nValueError: y",
                2,
            ),
            ("[ERROR] ValueError: one\nTraceback (most recent call last):\n  File \"/var/task/f.py\", line 3, in set_secret", 1),
            ("could not connect to server: Connection timed out\n\tIs the server running on host \"db\"?", 1),
        ] {
            assert_eq!(texts(text).len(), count, "{text}: {:?}", texts(text));
        }
    }

    #[test]
    fn only_an_exception_that_was_being_handled_is_marked_so() {
        let text = "A\nDuring handling of the above exception, another exception occurred:\nB\n\nThe above exception was the direct cause of the following exception:\nC";
        assert_eq!(of(text).iter().map(|one| one.handled).collect::<Vec<_>>(), [true, false, false]);
    }

    #[test]
    fn what_comes_after_the_last_try_that_is_counted_is_not_lost() {
        let text = "FATAL:  x\n".repeat(100);
        let tries = of(&text);
        assert!(tries.len() <= MAX_TRIES + 1);
        assert_eq!(tries.iter().map(|one| one.text.len()).sum::<usize>(), text.len());
    }
}
