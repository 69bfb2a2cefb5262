//! `rotation-diag explain`: log lines in, what they mean out; or what a cause is.

use super::failure::CommandError;
use super::{Explain, ExplainFormat};
use crate::answers::{CauseList, CausePage, ExplainedLine, ExplainedLines, JsonAnswer, MAX_LINES};
use crate::diagnosis::explain;
use crate::redact::Redactor;
use crate::report;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::process::ExitCode;

/// The longest line that is read whole, in bytes.
///
/// Source: CloudWatch Logs quotas, "Event size": 1 MB.
const MAX_BYTES: usize = 1 << 20;

pub(super) fn run(options: &Explain) -> Result<ExitCode, CommandError> {
    match (&options.cause, options.format) {
        (Some(id), ExplainFormat::Lines) => writeln!(io::stdout().lock(), "{}", page(id)?.page)?,
        (Some(id), ExplainFormat::Json) => print(&page(id)?)?,
        (None, ExplainFormat::Lines) if options.list => print_list()?,
        (None, ExplainFormat::Json) if options.list => print(&CauseList::all())?,
        (None, ExplainFormat::Lines) => translate(io::stdin().lock(), io::stdout().lock())?,
        (None, ExplainFormat::Json) => {
            let lines = read_lines(io::stdin().lock())?;
            print(&ExplainedLines::of(lines).map_err(|error| CommandError::Usage(error.to_string()))?)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn page(id: &str) -> Result<CausePage, CommandError> {
    CausePage::of(id).map_err(|why| CommandError::Usage(format!("{why}; `rotation-diag explain --list` prints all of them")))
}

fn print(answer: &impl JsonAnswer) -> Result<(), CommandError> {
    let text = answer.to_json().map_err(CommandError::cannot_run)?;
    Ok(io::stdout().lock().write_all(text.as_bytes())?)
}

/// Lines that are explained together at most, so that a secret which is cut over two of them is hidden in both.
const TOGETHER: usize = 256;

/// Lines kept of what was read before, for a key that goes on.
const KEPT: usize = 64;

fn print_list() -> Result<(), CommandError> {
    let mut out = BufWriter::new(io::stdout().lock());
    let CauseList { causes, .. } = CauseList::all();
    let longest = causes.iter().map(|listed| listed.cause.id().len()).max().unwrap_or_default();
    for listed in causes {
        writeln!(out, "{:longest$}  {}", listed.cause.id(), listed.title)?;
    }
    Ok(out.flush()?)
}

/// The lines, as far as they can be explained together, and one more where there are more.
fn read_lines(lines: impl io::Read) -> io::Result<Vec<String>> {
    let mut lines = BufReader::new(lines);
    let (mut line, mut all) = (Vec::new(), Vec::new());
    while all.len() <= MAX_LINES && read_line(&mut lines, &mut line)? {
        all.push(String::from_utf8_lossy(&line).into_owned());
    }
    Ok(all)
}

/// Explains `lines` until they end. Lines that are there at once are joined before their secrets are hidden.
fn translate(lines: impl io::Read, out: impl Write) -> io::Result<()> {
    let mut lines = BufReader::new(lines);
    let mut out = BufWriter::new(out);
    let mut line = Vec::new();
    let (mut before, mut waiting) = (Vec::<String>::new(), Vec::<String>::new());
    loop {
        let any = read_line(&mut lines, &mut line)?;
        if any {
            waiting.push(String::from_utf8_lossy(&line).into_owned());
        }
        // Whoever follows a live log sees each line at once, and a file is still read and written in large pieces.
        let is_last = lines.buffer().is_empty();
        if !any || is_last || waiting.len() == TOGETHER {
            let mut safe: Vec<String> = before.iter().chain(&waiting).cloned().collect();
            Redactor::default().redact_lines(&mut safe.iter_mut().collect::<Vec<_>>());
            for text in safe.iter().skip(before.len()) {
                out.write_all(report::json_line(&ExplainedLine::from(explain(text)))?.as_bytes())?;
            }
            before.append(&mut waiting);
            before.drain(..before.len().saturating_sub(KEPT));
        }
        if is_last {
            out.flush()?;
        }
        if !any {
            return out.flush();
        }
    }
}

/// Reads the next line without its end into `line`, of a longer one the first [`MAX_BYTES`] bytes. False at the end.
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
        let room = MAX_BYTES.saturating_sub(line.len()).min(piece.len());
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
    fn a_secret_cut_over_lines_is_hidden_in_all_of_them() {
        let key = "q83vEjRWeJ0AbCdEfGhIjKlMnOpQrStUvWxYz012q83vEjRWeJ0AbCdEfGhIjKlM";
        let input =
            format!("password:\nxyzzy9\n-----BEGIN PRIVATE KEY-----\n{key}\n{key}\n-----END PRIVATE KEY-----\nsetSecret: done");
        let lines = explained(input.as_bytes());
        assert_eq!(lines.len(), 7);
        let text: Vec<&str> = lines.iter().map(|line| line["text"].as_str().unwrap()).collect();
        assert!(!text.concat().contains("xyzzy9") && !text.concat().contains(key), "{text:?}");
        assert_eq!(text[6], "setSecret: done");
    }

    #[test]
    fn bytes_that_are_no_text_do_not_stop_it() {
        assert_eq!(explained(b"\xff\xfe\x00abc\nnext")[0]["text"], "\u{fffd}\u{fffd}\0abc");
    }

    #[test]
    fn of_an_endless_line_only_the_beginning_is_kept() {
        let mut input = vec![b'x'; MAX_BYTES + 10];
        input.extend_from_slice(b"\nnext");
        let lines = explained(&input);
        assert_eq!(lines[0]["text"].as_str().unwrap().len(), MAX_BYTES);
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
        assert_eq!(CommandError::from(error), CommandError::NobodyReads);
    }
}
