//! What a person wrote, without what Slack made of it on the way.

/// The words after the mention of `bot`, or all of them where it is not mentioned.
pub(super) fn after_mention(text: &str, bot: Option<&str>) -> String {
    let mention = bot.and_then(|bot| {
        let start = text.find(&format!("<@{bot}"))?;
        let end = text.get(start..)?.find('>')? + start + 1;
        Some((start, end))
    });
    let (before, after) = match mention {
        Some((start, end)) => (text.get(..start).unwrap_or_default(), text.get(end..).unwrap_or_default()),
        None => ("", text),
    };
    // "@bot rerun" and "rerun, @bot" both ask for a rerun; "hello @bot rerun" does too.
    let said = if after.trim().is_empty() { before } else { after };
    typed(said)
}

/// The text as it was typed: Slack escapes three characters, wraps what looks like an address, and phones make quotation
/// marks curly and spaces unbreakable.
///
/// Source: Slack, "Formatting text for app surfaces", "Retrieving messages".
pub(super) fn typed(text: &str) -> String {
    let mut unwrapped = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, tail)) = rest.split_once('<') {
        unwrapped.push_str(before);
        match tail.split_once('>') {
            Some((inner, after)) => {
                unwrapped.push_str(&unwrap(inner));
                rest = after;
            }
            None => {
                unwrapped.push('<');
                rest = tail;
            }
        }
    }
    unwrapped.push_str(rest);
    let decoded = unwrapped.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    let straight = decoded.chars().map(|c| match c {
        '\u{201c}' | '\u{201d}' | '\u{201e}' => '"',
        '\u{2018}' | '\u{2019}' | '\u{201a}' => '\'',
        '\u{a0}' | '\u{202f}' | '\u{2007}' => ' ',
        c => c,
    });
    straight.collect::<String>().trim().to_owned()
}

/// What a person had typed where Slack wrote `<inner>`.
fn unwrap(inner: &str) -> String {
    match (inner.chars().next(), inner.split_once('|')) {
        // A channel or a broadcast with its name.
        (Some('#'), Some((_, name))) => format!("#{name}"),
        (Some('!'), Some((_, name))) => name.to_owned(),
        // A person, a channel without a name, a broadcast: nothing that a command knows.
        (Some('@' | '#' | '!'), _) => format!("<{inner}>"),
        // An address that Slack recognised, and the text it recognised it in.
        (_, Some((_, label))) => label.to_owned(),
        (_, None) => inner.strip_prefix("mailto:").unwrap_or(inner).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_slack_adds_to_a_text_is_taken_away_again() {
        for (sent, expected) in [
            ("prod/orders-db", "prod/orders-db"),
            ("prod/orders-db account:prod\u{a0}window:7d", "prod/orders-db account:prod window:7d"),
            ("\u{201c}prod/orders-db\u{201d}", "\"prod/orders-db\""),
            ("a &amp; b &lt;c&gt;", "a & b <c>"),
            ("&amp;lt;", "&lt;"),
            ("<http://db.example.com|db.example.com>", "db.example.com"),
            ("<https://example.com/x>", "https://example.com/x"),
            ("<mailto:me@example.com|me@example.com>", "me@example.com"),
            ("<#C1|general> <!subteam^S1|@sre>", "#general @sre"),
            ("<@U2> <!channel>", "<@U2> <!channel>"),
            ("a < b", "a < b"),
            ("<", "<"),
            ("<>", ""),
            ("", ""),
        ] {
            assert_eq!(typed(sent), expected, "{sent:?}");
        }
    }

    #[test]
    fn the_mention_of_the_bot_is_no_part_of_what_is_said() {
        for (sent, expected) in [
            ("<@UBOT> prod/orders-db", "prod/orders-db"),
            ("<@UBOT|rotation-diag> rerun 4", "rerun 4"),
            ("please <@UBOT> rerun 4", "rerun 4"),
            ("rerun 4 <@UBOT>", "rerun 4"),
            ("<@UBOT>", ""),
            ("<@U2> help", "<@U2> help"),
            ("<@UBOT", "<@UBOT"),
        ] {
            assert_eq!(after_mention(sent, Some("UBOT")), expected, "{sent:?}");
        }
    }
}
