//! `rotation-diag explain`: log lines in, what they mean out; or what a cause is.

use super::Explain;
use super::failure::Failure;
use crate::diagnosis::{Explanation, explain, page_of};
use crate::model::{Cause, RotationStep};
use crate::redact::SafeText;
use crate::report;
use serde::Serialize;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::process::ExitCode;

/// The longest line that is read whole, in bytes.
///
/// Source: CloudWatch Logs quotas, "Event size": 1 MB.
const LONGEST: usize = 1 << 20;

#[derive(Serialize)]
struct Explained {
    cause: Option<Cause>,
    step: Option<RotationStep>,
    engine: Option<&'static str>,
    text: SafeText,
}

impl From<Explanation> for Explained {
    fn from(Explanation { cause, step, engine, text }: Explanation) -> Explained {
        Explained { cause, step, engine, text: SafeText::redact(&text) }
    }
}

pub(super) fn run(options: &Explain) -> Result<ExitCode, Failure> {
    match &options.cause {
        Some(id) => print_page(id),
        None if options.list => print_list(),
        None => {
            translate(io::stdin().lock(), io::stdout().lock())?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn print_page(id: &str) -> Result<ExitCode, Failure> {
    let page = Cause::from_id(id).and_then(page_of).ok_or_else(|| Failure::Usage(unknown(id)))?;
    writeln!(io::stdout().lock(), "{page}")?;
    Ok(ExitCode::SUCCESS)
}

fn print_list() -> Result<ExitCode, Failure> {
    let mut out = BufWriter::new(io::stdout().lock());
    let longest = Cause::ALL.iter().map(|cause| cause.id().len()).max().unwrap_or_default();
    for cause in Cause::ALL.iter().filter(|cause| !cause.is_line_label()) {
        writeln!(out, "{:longest$}  {}", cause.id(), cause.title())?;
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// What to do about an id that no cause has; the nearest one is named.
fn unknown(id: &str) -> String {
    let near = Cause::ALL
        .iter()
        .filter(|cause| !cause.is_line_label())
        .map(|cause| (strsim::jaro_winkler(id, cause.id()), cause.id()))
        .max_by(|one, other| one.0.total_cmp(&other.0))
        .filter(|(likeness, _)| *likeness > 0.8);
    let hint = near.map(|(_, id)| format!(", the nearest is {id}")).unwrap_or_default();
    format!("no cause has this id{hint}; `rotation-diag explain --list` prints all of them")
}

/// Explains `lines` until they end, each as soon as it was read.
fn translate(lines: impl io::Read, out: impl Write) -> io::Result<()> {
    let mut lines = BufReader::new(lines);
    let mut out = BufWriter::new(out);
    let mut line = Vec::new();
    while read_line(&mut lines, &mut line)? {
        let explained = Explained::from(explain(&String::from_utf8_lossy(&line)));
        out.write_all(report::json_line(&explained)?.as_bytes())?;
        // Whoever follows a live log sees each line at once, and a file is still written in large pieces.
        if lines.buffer().is_empty() {
            out.flush()?;
        }
    }
    out.flush()
}

/// Reads the next line without its end into `line`, of a longer one the first [`LONGEST`] bytes. False at the end.
fn read_line(lines: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    line.clear();
    let mut any = false;
    loop {
        let available = match lines.fill_buf() {
            Ok(available) => available,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if available.is_empty() {
            return Ok(any);
        }
        any = true;
        let end = available.iter().position(|byte| *byte == b'\n');
        let piece = available.get(..end.unwrap_or(available.len())).unwrap_or_default();
        let room = LONGEST.saturating_sub(line.len()).min(piece.len());
        line.extend_from_slice(piece.get(..room).unwrap_or_default());
        let used = piece.len() + usize::from(end.is_some());
        lines.consume(used);
        if end.is_some() {
            return Ok(true);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explained(input: &[u8]) -> Vec<serde_json::Value> {
        let mut out = Vec::new();
        translate(input, &mut out).unwrap();
        String::from_utf8(out).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn every_line_gives_one_object_and_a_normal_one_has_no_cause() {
        let lines = explained(b"setSecret: Unable to log into database\r\n\nEND RequestId: 1\nno newline at the end");
        assert_eq!(lines.len(), 4);
        assert_eq!(lines[0]["text"], "setSecret: Unable to log into database");
        assert!(lines[1]["cause"].is_null() && lines[2]["cause"].is_null());
        assert_eq!(lines[3]["text"], "no newline at the end");
        assert!(lines.iter().all(|line| line.as_object().unwrap().len() == 4));
    }

    #[test]
    fn bytes_that_are_no_text_do_not_stop_it() {
        assert_eq!(explained(b"\xff\xfe\x00abc\nnext")[0]["text"], "\u{fffd}\u{fffd}\0abc");
    }

    #[test]
    fn of_an_endless_line_only_the_beginning_is_kept() {
        let mut input = vec![b'x'; LONGEST + 10];
        input.extend_from_slice(b"\nnext");
        let lines = explained(&input);
        assert_eq!(lines[0]["text"].as_str().unwrap().len(), LONGEST);
        assert_eq!(lines[1]["text"], "next");
    }

    #[test]
    fn a_reader_that_went_away_is_no_error() {
        struct Gone;
        impl Write for Gone {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let error = translate(&b"line\n"[..], Gone).unwrap_err();
        assert_eq!(Failure::from(error), Failure::NobodyReads);
    }
}
