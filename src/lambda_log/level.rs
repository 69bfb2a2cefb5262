//! The level a line was logged at, across the runtimes' and loggers' spellings.

/// A line's level, in ascending severity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Debugging and tracing output.
    Debug,
    Info,
    /// The line states no level: a print, a stack trace, another program's output.
    Unstated,
    Warning,
    /// An error or worse.
    Error,
}

/// What loggers call their levels.
const NAMES: &[(&str, Level)] = &[
    ("trace", Level::Debug),
    ("debug", Level::Debug),
    ("trce", Level::Debug),
    ("dbug", Level::Debug),
    ("dbg", Level::Debug),
    ("fine", Level::Debug),
    ("finer", Level::Debug),
    ("finest", Level::Debug),
    ("verbose", Level::Debug),
    ("info", Level::Info),
    ("information", Level::Info),
    ("notice", Level::Info),
    ("inf", Level::Info),
    ("warn", Level::Warning),
    ("warning", Level::Warning),
    ("wrn", Level::Warning),
    ("error", Level::Error),
    ("err", Level::Error),
    ("fatal", Level::Error),
    ("critical", Level::Error),
    ("severe", Level::Error),
    ("fail", Level::Error),
    ("crit", Level::Error),
    ("emerg", Level::Error),
    ("panic", Level::Error),
    ("dpanic", Level::Error),
    ("alert", Level::Error),
    ("emergency", Level::Error),
];

/// How many words may come before the level: date, time, request id, thread, logger.
const WORDS_BEFORE_LEVEL: usize = 7;

impl Level {
    /// The level that `text` states within its first words.
    #[must_use]
    pub fn of_text(text: &str) -> Level {
        let first_line = text.lines().next().unwrap_or_default();
        words(first_line)
            .take(WORDS_BEFORE_LEVEL)
            .find_map(from_upper_case)
            .or_else(|| from_tab_field(first_line))
            .or_else(|| from_key_value(first_line))
            .unwrap_or(Level::Unstated)
    }

    /// The level a logger calls `name`, in any case.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Level> {
        NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, level)| *level)
    }

    /// The level of a number whose scale its size gives away: pino and Bunyan count to 60 (30 is info, 50 error), Monolog to
    /// 600, Logback in thousands.
    pub(super) fn from_number(number: u64) -> Level {
        match number {
            0..30 | 100..200 | 1_000..20_000 => Level::Debug,
            30..40 | 200..300 | 20_000..30_000 => Level::Info,
            40..50 | 300..400 | 30_000..40_000 => Level::Warning,
            _ => Level::Error,
        }
    }

    /// OpenTelemetry's severity number: four steps for each level, from 1 (trace) to 24 (fatal).
    pub(super) fn from_opentelemetry(number: u64) -> Option<Level> {
        Some(match number {
            1..=8 => Level::Debug,
            9..=12 => Level::Info,
            13..=16 => Level::Warning,
            17..=24 => Level::Error,
            _ => return None,
        })
    }

    /// Python's level number: 20 is info, 40 error.
    pub(super) fn from_python(number: u64) -> Option<Level> {
        Some(match number {
            1..20 => Level::Debug,
            20..30 => Level::Info,
            30..40 => Level::Warning,
            40.. => Level::Error,
            0 => return None,
        })
    }

    /// Syslog's priority: 0 is an emergency, 7 debugging.
    pub(super) fn from_syslog(number: u64) -> Option<Level> {
        Some(match number {
            0..=3 => Level::Error,
            4 => Level::Warning,
            5 | 6 => Level::Info,
            7 => Level::Debug,
            _ => return None,
        })
    }
}

pub(super) fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| c.is_whitespace() || "[]()|:,<>".contains(c)).filter(|word| !word.is_empty() && *word != "-")
}

fn from_upper_case(word: &str) -> Option<Level> {
    let shouted = word.len() > 3 && word.bytes().all(|byte| byte.is_ascii_uppercase());
    shouted.then(|| Level::from_name(word)).flatten()
}

/// .NET writes `<time>\t<request id>\tfail\t<message>`.
fn from_tab_field(line: &str) -> Option<Level> {
    line.split('\t').nth(2).and_then(Level::from_name)
}

/// logfmt writes `level=error`.
fn from_key_value(line: &str) -> Option<Level> {
    words(line)
        .take(WORDS_BEFORE_LEVEL)
        .find_map(|word| word.strip_prefix("level=").or(word.strip_prefix("lvl=")))
        .and_then(|name| Level::from_name(name.trim_matches('"')))
}

#[cfg(test)]
mod tests {
    use super::Level;

    #[test]
    fn each_runtime_and_logger_states_its_level_in_its_own_place() {
        for (text, level) in [
            ("[INFO]\t2025-03-01T12:00:00.000Z\tid\tcreateSecret: done", Level::Info),
            ("[ERROR] ValueError: no", Level::Error),
            ("2025-03-01T12:00:00.000Z\tundefined\tERROR\tUncaught Exception", Level::Error),
            ("2025-03-01T12:00:00.000Z\t3f1c\tfail\tUnhandled", Level::Error),
            ("2025-03-01 12:00:00,123 - rotate - WARNING - slow", Level::Warning),
            ("WARNING:root:slow", Level::Warning),
            ("2025-03-01 12:00:00 3f1c DEBUG com.example.Rotate:12 - x", Level::Debug),
            ("time=2025-03-01T12:00:00Z level=error msg=no", Level::Error),
            ("REPORT RequestId: 3f1c\tDuration: 1 ms", Level::Unstated),
            ("an ordinary sentence about errors", Level::Unstated),
        ] {
            assert_eq!(Level::of_text(text), level, "{text}");
        }
    }
}
