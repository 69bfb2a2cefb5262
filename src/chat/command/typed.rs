//! What was typed, before a chat program improved it.

/// The words of a line: links, entities, typographic quotes and dashes are undone, white space of any kind separates.
pub(super) fn words(line: &str) -> Vec<String> {
    let plain = entities(&links(line));
    plain.split(char::is_whitespace).map(plain_word).filter(|word| !word.is_empty()).collect()
}

/// A word without the quotes around it.
pub(super) fn unquoted(word: &str) -> &str {
    word.trim_matches(['"', '\'', '`'])
}

/// Slack writes what looks like an address as `<address|label>`; the label is what was typed. Without one, the address is.
///
/// Source: Slack, "Formatting text for app surfaces", on links in the text that apps receive.
fn links(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((before, opened)) = rest.split_once('<') {
        plain.push_str(before);
        match opened.split_once('>') {
            Some((link, after)) if is_address(link) => {
                plain.push_str(link.split_once('|').map_or(link, |(_, label)| label));
                rest = after;
            }
            _ => {
                plain.push('<');
                rest = opened;
            }
        }
    }
    plain.push_str(rest);
    plain
}

/// A mention or a broadcast is no address: it stays, and makes no sense as a word.
fn is_address(link: &str) -> bool {
    ["http://", "https://", "mailto:"].iter().any(|scheme| link.starts_with(scheme)) && !link.contains('<')
}

/// The three characters Slack escapes; the ampersand last, so that nothing is undone twice.
fn entities(line: &str) -> String {
    line.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

fn plain_word(word: &str) -> String {
    let word: String = word.chars().filter(|c| !is_invisible(*c)).map(plain_quote).collect();
    match word.strip_prefix(['—', '–']) {
        // Phones make one dash of two.
        Some(option) => format!("--{option}"),
        None => word,
    }
}

/// Characters that come along when text is copied, and that nobody sees.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}' | '\u{ad}')
}

fn plain_quote(c: char) -> char {
    match c {
        '“' | '”' | '„' | '‟' | '«' | '»' => '"',
        '‘' | '’' | '‚' | '‛' => '\'',
        other => other,
    }
}
