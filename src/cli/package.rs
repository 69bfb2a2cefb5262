//! `rotation-diag diagnose --code FILE`, without a secret: what a package shows by itself.

use super::failure::CommandError;
use super::{Diagnose, Format, output};
use crate::diagnosis::code_faults;
use crate::function_code::{CodeTarget, MAX_PACKED, inspect};
use crate::model::{CodeSource, Confidence, FunctionCode, HandlerPart};
use crate::redact::{Redactor, SafeText};
use crate::report::code_facts;
use serde_json::json;
use std::fmt::Write as _;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

/// What a package is read as where nothing else is said: as Secrets Manager makes its functions, or as Node.js's usual ones.
const USUAL: [(&str, &str); 2] = [("python3.13", "lambda_function.lambda_handler"), ("nodejs22.x", "index.handler")];

/// Reads a package into memory, up to what is looked at.
pub(super) fn read(path: &Path) -> Result<Arc<Vec<u8>>, CommandError> {
    let unreadable = |why: String| CommandError::Usage(format!("--code: {} cannot be read: {why}", path.display()));
    let mut package = Vec::new();
    let most = u64::try_from(MAX_PACKED).unwrap_or(u64::MAX).saturating_add(1);
    let file = File::open(path).map_err(|error| unreadable(error.to_string()))?;
    file.take(most).read_to_end(&mut package).map_err(|error| unreadable(error.to_string()))?;
    if package.len() > MAX_PACKED {
        return Err(unreadable(format!("it has more than {} MiB", MAX_PACKED >> 20)));
    }
    Ok(Arc::new(package))
}

pub(super) fn run(options: &Diagnose, path: &Path) -> Result<ExitCode, CommandError> {
    let package = read(path)?;
    let architecture = options.architecture.as_deref().unwrap_or("x86_64");
    let as_usual = |(runtime, handler): (&str, &str)| {
        let runtime = options.runtime.as_deref().unwrap_or(runtime);
        let handler = options.handler.as_deref().unwrap_or(handler);
        let target = CodeTarget { runtime: Some(runtime), handler: Some(handler), architecture };
        inspect(CodeSource::LocalFile, &target, &package, &[])
            .map(|code| (code, format!("{runtime} on {architecture}, {handler}")))
    };
    let [first, second] = USUAL.map(as_usual);
    let has_handler = |read: &(FunctionCode, String)| matches!(read.0.handler_file, HandlerPart::Found(_));
    let (code, target) = match (first, second) {
        (Ok(first), Ok(second)) if !has_handler(&first) && has_handler(&second) => second,
        (Ok(first), _) => first,
        (Err(_), Ok(second)) => second,
        (Err(refused), Err(_)) => return Err(CommandError::CannotRun(refused.to_string())),
    };
    let withheld = |_| CommandError::CannotRun("the result is withheld, because it could not be redacted".to_owned());
    let (code, _) = Redactor::default().redact_strings(code).map_err(withheld)?;
    output::put(&tell(&code, &target, options.report.format)?, options.report.output.as_deref())?;
    let stops = code_faults(&code, None).iter().any(|fault| fault.confidence > Confidence::Possible);
    Ok(if options.exit_code && stops { ExitCode::from(3) } else { ExitCode::SUCCESS })
}

fn tell(code: &FunctionCode, target: &str, format: Format) -> Result<String, CommandError> {
    let faults = code_faults(code, None);
    if matches!(format, Format::Json) {
        let faults: Vec<serde_json::Value> = (faults.iter())
            .map(|fault| json!({ "cause": fault.cause, "confidence": fault.confidence, "text": fault.text }))
            .collect();
        let whole = json!({ "schema_version": 1, "target": target, "code": code, "faults": faults });
        return serde_json::to_string_pretty(&whole).map(|text| text + "\n").map_err(CommandError::cannot_run);
    }
    let mut text = format!("Read as {target}\n\n");
    if faults.is_empty() {
        text.push_str("Nothing in it is known to stop a rotation.\n");
    }
    for fault in &faults {
        let mark = if fault.confidence > Confidence::Possible { "✗" } else { "·" };
        let _ = writeln!(text, "{mark} {}: {}", fault.cause, fault.text);
    }
    text.push('\n');
    for fact in code_facts(code) {
        let _ = writeln!(text, "{}: {}", fact.lead, fact.text);
    }
    Ok(SafeText::redact(&text).to_string())
}
