//! Passwords on command lines: which tool takes one where.

use std::ops::Range;

use super::marker::is_hidden_already;
use super::scan::{byte, is_blank, is_quote, run_end};

/// The names of the tools below, each with the blank, the quote or the comma behind it.
pub(super) const TOOLS: &str = r"(?:(?-u:\b)|\\[nrt])(?:mysql(?:dump|admin|import|check|show|pump|slap|sh)?|mariadb(?:-[a-z]{2,10})?|sqlplus|sqlldr|sqlcl|impdp|expdp|imp|exp|rman|curl|wget|redis-cli|valkey-cli|keydb-cli|mongo(?:sh|dump|restore|export|import|stat|top|files)?|sshpass|docker|podman|nerdctl|buildah|skopeo|crane|oras|helm|az|ldap(?:search|modify|add|delete|passwd|whoami|compare|modrdn)|sqlcmd|bcp|isql|iusql|osql|tsql|sqsh|mssql-cli|defncopy|openssl|aws|net1?|echo|printf|smbclient|rpcclient|winexe|smbmap|rabbitmqctl|rabbitmqadmin|htpasswd|mosquitto_(?:pub|sub|rr|passwd)|zip|unzip|ipmitool|cqlsh|beeline|dsbulk|psexec|PsExec|7za?|rar|unrar|vault|lftp|snmp(?:walk|get|set)|mc|xfreerdp|cmdkey|schtasks|hdbsql)(?:\.exe|\.cmd|\.bat|\.sh)?['\x22]?[\s,]";

/// How much of a command line is looked at, in bytes: a bound, so that time stays linear.
const MAX_BYTES: usize = 1024;

/// Arguments looked at, for the same reason.
const MAX_ARGUMENTS: usize = 64;

/// How a tool is told a password.
enum Takes {
    /// `-pvalue`.
    Attached(&'static str),
    /// `-p value`, `-p=value`.
    Separate(&'static str),
    /// `-u user:value`, attached or not, with the sign between user and password.
    Pair(&'static str, char),
    /// `word… value`: the argument this far behind the word.
    Behind(&'static str, usize),
    /// An argument `user/value` without an option.
    Slash,
    /// `pass:value`.
    Prefix(&'static str),
    /// The last argument, where an option with this letter is given.
    Last(char),
    /// The nth argument that is no option.
    Nth(usize),
}

use Takes::{Attached, Behind, Last, Nth, Pair, Prefix, Separate, Slash};

/// What each tool takes. Sources: the tools' own manuals.
fn takes(tool: &str) -> &'static [Takes] {
    match tool {
        "sqlplus" | "sqlldr" | "sqlcl" | "impdp" | "expdp" | "imp" | "exp" | "rman" => &[Slash],
        "curl" => &[
            Pair("-u", ':'),
            Pair("--user", ':'),
            Pair("-U", ':'),
            Pair("--proxy-user", ':'),
            Pair("-E", ':'),
            Pair("--cert", ':'),
            Separate("--pass"),
            Separate("--proxy-pass"),
            Separate("--oauth2-bearer"),
        ],
        "redis-cli" | "valkey-cli" | "keydb-cli" => {
            &[Separate("-a"), Separate("--pass"), Behind("AUTH", 2), Behind("AUTH", 1), Behind("auth", 2), Behind("auth", 1)]
        }
        "sshpass" | "cqlsh" | "beeline" | "dsbulk" | "psexec" | "PsExec" | "rabbitmqadmin" => &[Attached("-p"), Separate("-p")],
        "docker" | "podman" | "nerdctl" | "buildah" | "crane" | "oras" | "helm" | "az" | "skopeo" => {
            &[Attached("-p"), Separate("-p"), Pair("--creds", ':'), Pair("--src-creds", ':'), Pair("--dest-creds", ':')]
        }
        "sqlcmd" | "bcp" | "osql" | "tsql" | "sqsh" | "mssql-cli" | "defncopy" | "zip" | "unzip" | "ipmitool"
        | "mosquitto_pub" | "mosquitto_sub" | "mosquitto_rr" => &[Attached("-P"), Separate("-P")],
        "isql" | "iusql" => &[Attached("-P"), Separate("-P"), Nth(2)],
        "openssl" => &[Prefix("pass:"), Separate("-k"), Separate("-K")],
        "aws" => &[
            Behind("aws_secret_access_key", 1),
            Behind("aws_session_token", 1),
            Behind("secret_access_key", 1),
            Behind("session_token", 1),
        ],
        "smbclient" | "rpcclient" | "winexe" => &[Pair("-U", '%'), Pair("--user", '%')],
        "smbmap" => &[Separate("-p")],
        "rabbitmqctl" => &[Behind("add_user", 2), Behind("change_password", 2), Behind("authenticate_user", 2)],
        "htpasswd" | "mosquitto_passwd" => &[Last('b')],
        "7z" | "7za" => &[Attached("-p")],
        "rar" | "unrar" => &[Attached("-p"), Attached("-hp")],
        "vault" => &[Behind("login", 1)],
        "lftp" => &[Pair("-u", ',')],
        "mc" => &[Behind("set", 4)],
        "xfreerdp" => &[Prefix("/p:")],
        "cmdkey" => &[Prefix("/pass:")],
        "schtasks" => &[Separate("/rp"), Separate("/RP")],
        "mysqladmin" | "mariadb-admin" => &[Attached("-p"), Behind("password", 1)],
        "hdbsql" => &[Attached("-p"), Separate("-p")],
        "ldappasswd" => &[Separate("-w"), Attached("-w"), Separate("-s"), Attached("-s"), Separate("-a"), Attached("-a")],
        _ if tool.starts_with("mysql") || tool.starts_with("mariadb") => &[Attached("-p")],
        _ if tool.starts_with("mongo") => &[Attached("-p"), Separate("-p")],
        _ if tool.starts_with("ldap") => &[Separate("-w"), Attached("-w")],
        _ if tool.starts_with("snmp") => &[Separate("-A"), Separate("-X")],
        _ => &[],
    }
}

/// The next password on the command line of the tool that was found.
pub(super) fn option(text: &str, found: Range<usize>) -> Option<Range<usize>> {
    let name = text.get(found.clone())?;
    // The escape of a line break in front of it.
    let name = name.strip_prefix('\\').and_then(|escape| escape.get(1..)).unwrap_or(name);
    let name = name.trim_end_matches([' ', '\t', '\r', '\n', ',', '\'', '"']);
    let tool = [".exe", ".cmd", ".bat", ".sh"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
    let line = text.get(found.end..text.floor_char_boundary(found.end.saturating_add(MAX_BYTES)))?;
    // A backslash at its end continues a line.
    let is_end = |at: usize| !line.get(..at).is_some_and(|before| before.trim_end_matches('\r').ends_with('\\'));
    let length = line.match_indices('\n').map(|(at, _)| at).find(|at| is_end(*at)).unwrap_or(line.len());
    let line_end = found.end + line.get(..length).unwrap_or_default().trim_end_matches('\r').len();
    if text.get(found.clone())?.ends_with(['\n', '\r']) {
        return None;
    }
    let arguments = arguments(text, found.end..line_end);
    if matches!(tool, "echo" | "printf") {
        return piped(text, found.end..line_end);
    }
    if matches!(tool, "net" | "net1") {
        return of_net(text, &arguments);
    }
    let is_login = arguments.iter().any(|argument| content(text, argument) == "login");
    let needs_login = matches!(tool, "docker" | "podman" | "nerdctl" | "buildah" | "crane" | "oras" | "helm" | "az");
    takes(tool)
        .iter()
        .filter(|takes| is_login || !needs_login || matches!(takes, Pair(..)))
        .filter_map(|takes| taken(text, &arguments, takes))
        .find(|range| !range.is_empty() && !is_hidden_already(text, range))
}

fn content<'t>(text: &'t str, argument: &Range<usize>) -> &'t str {
    text.get(argument.clone()).unwrap_or_default()
}

fn taken(text: &str, arguments: &[Range<usize>], takes: &Takes) -> Option<Range<usize>> {
    let next = |at: usize| arguments.get(at + 1).cloned();
    let position = |word: &str| arguments.iter().position(|argument| content(text, argument) == word);
    match takes {
        Attached(flag) => arguments.iter().find_map(|argument| {
            let attached = content(text, argument).strip_prefix(flag)?;
            // `--port` is an option of its own.
            (!attached.is_empty() && !flag.starts_with("--")).then(|| unquoted(text, argument.end - attached.len()..argument.end))
        }),
        Separate(flag) => arguments.iter().enumerate().find_map(|(at, argument)| {
            let given = content(text, argument).strip_prefix(flag)?;
            if let Some(value) = given.strip_prefix('=') {
                return Some(unquoted(text, argument.end - value.len()..argument.end));
            }
            let value = next(at).filter(|_| given.is_empty())?;
            (!content(text, &value).starts_with('-')).then_some(value)
        }),
        Pair(flag, sign) => arguments.iter().enumerate().find_map(|(at, argument)| {
            let given = content(text, argument);
            let given = if is_combined(given, flag) { "" } else { given.strip_prefix(flag)? };
            let pair = if given.is_empty() { next(at)? } else { argument.end - given.len()..argument.end };
            let pair = unquoted(text, pair);
            let (_, password) = content(text, &pair).split_once(*sign)?;
            Some(pair.end - password.len()..pair.end)
        }),
        Behind(word, distance) => {
            let value = arguments.get(position(word)? + distance)?;
            (!content(text, value).starts_with('-')).then(|| value.clone())
        }
        Slash => arguments.iter().find_map(|argument| {
            let (user, rest) = content(text, argument).split_once('/')?;
            let is_user = !user.is_empty() && !user.contains(['.', '@', ':']) && !user.starts_with('-');
            let user = user.rsplit('=').next().unwrap_or_default();
            let password = rest.rfind('@').map_or(rest.len(), |at| at);
            let start = argument.end - rest.len();
            (is_user && !user.is_empty() && password > 0).then(|| start..start + password)
        }),
        Prefix(prefix) => arguments.iter().find_map(|argument| {
            let value = content(text, argument).strip_prefix(prefix)?;
            Some(argument.end - value.len()..argument.end)
        }),
        Last(letter) => {
            let given =
                |argument: &Range<usize>| content(text, argument).strip_prefix('-').is_some_and(|flags| flags.contains(*letter));
            arguments.iter().any(given).then(|| arguments.last().cloned())?
        }
        Nth(number) => {
            let mut plain = arguments.iter().filter(|argument| !content(text, argument).starts_with('-'));
            plain.nth(*number).cloned()
        }
    }
}

/// Whether an argument is options of one letter with `flag` as the last, which then takes a value: `-sSu`.
fn is_combined(argument: &str, flag: &str) -> bool {
    let letters = argument.strip_prefix('-').filter(|letters| letters.bytes().all(|byte| byte.is_ascii_alphabetic()));
    flag.len() == 2 && letters.is_some_and(|letters| flag.strip_prefix('-').is_some_and(|flag| letters.ends_with(flag)))
}

/// Without the quotes around a value that is attached to its option.
fn unquoted(text: &str, range: Range<usize>) -> Range<usize> {
    let value = content(text, &range);
    let within = |quote: char| {
        let opened = value.strip_prefix(quote)?;
        let start = range.end - opened.len();
        Some(start..start + opened.strip_suffix(quote).unwrap_or(opened).len())
    };
    within('"').or_else(|| within('\'')).unwrap_or(range.clone())
}

/// The arguments in a range: of a shell's line, or of a list as languages print it. They end where the command ends: at a pipe, a
/// semicolon, or the quote that encloses the whole command.
fn arguments(text: &str, line: Range<usize>) -> Vec<Range<usize>> {
    let mut arguments = Vec::new();
    let mut at = line.start;
    for _ in 0..MAX_ARGUMENTS {
        let mut start = run_end(text, at, |byte| is_blank(byte) || byte == b',');
        while let Some(next) = continued(text, start) {
            start = next;
        }
        let start = start.min(line.end);
        if start >= line.end || byte(text, start).is_some_and(|byte| b"|;&]<>".contains(&byte)) {
            break;
        }
        if let Some(quote) = byte(text, start).filter(|byte| is_quote(*byte)) {
            let end = run_end(text, start + 1, |byte| byte != quote).min(line.end);
            arguments.push(start + 1..end);
            at = end + 1;
            continue;
        }
        let mut end = start;
        loop {
            end = run_end(text, end, |byte| !byte.is_ascii_whitespace() && !is_quote(byte)).min(line.end);
            let Some(quote) = byte(text, end).filter(|byte| is_quote(*byte)) else { break };
            // A quote inside an option opens a value; any other closes what encloses the command.
            let opens =
                byte(text, start) == Some(b'-') || byte(text, end.wrapping_sub(1)).is_some_and(|byte| b"=:/".contains(&byte));
            let close = run_end(text, end + 1, |byte| byte != quote);
            if !opens || close >= line.end {
                break;
            }
            end = close + 1;
        }
        arguments.push(start..end);
        if byte(text, end).is_some_and(is_quote) {
            // Of a list, the next one follows behind a comma; else the command has ended.
            let after = run_end(text, end + 1, is_blank);
            if byte(text, after) != Some(b',') {
                break;
            }
            at = after;
        } else {
            at = end.max(start + 1);
        }
    }
    arguments
}

/// Where a command goes on whose line ends at `at` with a backslash; the break may be escaped, as in a string of JSON.
fn continued(text: &str, at: usize) -> Option<usize> {
    const ESCAPED: usize = 3;
    let end = run_end(text, at, |byte| byte == b'\\');
    let next = match byte(text, end)? {
        b'\n' | b'\r' if end == at + 1 => end,
        b'n' if end == at + ESCAPED => end + 1,
        _ => return None,
    };
    Some(run_end(text, next, |byte| byte.is_ascii_whitespace()))
}

/// What `echo` or `printf` passes on to a command that reads a password.
fn piped(text: &str, line: Range<usize>) -> Option<Range<usize>> {
    const READERS: [&str; 14] = [
        "kinit",
        "passwd",
        "sudo -S",
        "--password-stdin",
        "chpasswd",
        "--stdin",
        "su ",
        // `openssl … -passin stdin`; its digests read a text.
        " stdin",
        "gpg",
        "cryptsetup",
        "ssh-add",
        "--with-token",
        "smbpasswd",
        "kadmin",
    ];
    let content = text.get(line.clone())?;
    let (said, reader) = content.split_once('|')?;
    if !READERS.iter().any(|command| reader.contains(command)) {
        return None;
    }
    let mut range = line.start..line.start + said.trim_end().len();
    // Options, and the format of printf.
    loop {
        range.start = run_end(text, range.start, is_blank);
        let word_end = run_end(text, range.start, |byte| !byte.is_ascii_whitespace()).min(range.end);
        let word = text.get(range.start..word_end)?;
        let is_option = word.starts_with('-') && word.len() <= 3;
        if !is_option && !(word.trim_matches(['\'', '"']).starts_with('%')) {
            break;
        }
        if word_end >= range.end {
            return None;
        }
        range.start = word_end;
    }
    let range = unquoted(text, range);
    // `app:password` for chpasswd: the name of the user may be read.
    let range = match content.contains("chpasswd").then(|| text.get(range.clone())?.split_once(':')).flatten() {
        Some((_, password)) => range.end - password.len()..range.end,
        None => range,
    };
    (!range.is_empty() && !is_hidden_already(text, &range)).then_some(range)
}

/// `net use Z: \\server\share password /user:…`, `net user name password`.
fn of_net(text: &str, arguments: &[Range<usize>]) -> Option<Range<usize>> {
    let (command, rest) = arguments.split_first()?;
    let is_value = |argument: &&Range<usize>| {
        let content = content(text, argument);
        !(content.starts_with(['/', '\\', '*']) || content.len() == 2 && content.ends_with(':'))
    };
    let value = match content(text, command).to_ascii_lowercase().as_str() {
        "use" => rest.iter().find(is_value),
        "user" => rest.iter().filter(is_value).nth(1),
        _ => None,
    }?;
    (!is_hidden_already(text, value)).then(|| value.clone())
}

/// The value of an option of any tool that is named for a password, such as `-storepass`.
pub(super) fn named_option(text: &str, found: Range<usize>) -> Option<Range<usize>> {
    const WORDS: [&str; 5] = ["bypass", "compass", "surpass", "trespass", "overpass"];
    let matched = text.get(found.clone())?;
    let last = matched.chars().last()?.len_utf8();
    let start = found.end - last;
    let name = matched.get(..matched.len() - last)?.trim_end_matches([' ', '=', '\'', '"', ',']);
    // The word that ends with it is an option.
    let earliest = text.floor_char_boundary(found.start.saturating_sub(MAX_ARGUMENTS));
    let before = text.get(earliest..found.start)?;
    let word = before.rsplit(|char: char| char.is_whitespace() || matches!(char, '"' | '\'')).next().unwrap_or_default();
    let is_option = word.starts_with('-') || (word.is_empty() && name.starts_with('-'));
    if !is_option || WORDS.iter().any(|ending| format!("{word}{name}").ends_with(ending)) {
        return None;
    }
    let quote = byte(text, start.wrapping_sub(1)).filter(|byte| is_quote(*byte));
    let end = run_end(text, start, |byte| match quote {
        Some(quote) => byte != quote && byte != b'\n',
        None => !byte.is_ascii_whitespace() && !is_quote(byte),
    });
    let range = start..end;
    (!is_hidden_already(text, &range)).then_some(range)
}
