//! Lines from public reports that were read wrongly once, and their like from other drivers: what must and must not be said.

use crate::diagnosis::diagnose;
use crate::diagnosis::explain;
use crate::diagnosis::testing::{fail, healthy};
use crate::lambda_log::rotation_step;
use crate::model::{Finding, RotationStep};
use serde_json::Value;

const INPUTS: &[&str] =
    &[include_str!("../../../tests/data/field-inputs.jsonl"), include_str!("../../../tests/data/examined-lines.jsonl")];

fn texts(row: &Value, key: &str) -> Vec<String> {
    row[key].as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

fn said(finding: &Finding) -> String {
    let remedy = &finding.remediation;
    [&finding.title, &finding.explanation, &remedy.summary, &remedy.commands.join("\n")].map(String::as_str).join("\n")
}

#[test]
fn every_line_from_the_field_has_its_cause_and_an_advice_that_holds() {
    let mut faults = Vec::new();
    let mut read = 0;
    // To be read by a person: what is said about the lines of another file of this form.
    let others = std::env::var("EXAMINE").ok().map(|path| std::fs::read_to_string(path).unwrap());
    let inputs = others.as_deref().map_or_else(|| INPUTS.to_vec(), |others| vec![others]);
    for row in inputs.iter().flat_map(|file| file.lines()) {
        let row: Value = serde_json::from_str(row).unwrap();
        let lines = texts(&row, "lines");
        let cause = row["cause"].as_str();
        read += 1;
        let Some(cause) = cause else {
            let found = lines.iter().find_map(|line| explain(line).cause);
            faults.extend(found.map(|found| format!("{found} for {lines:?}")));
            continue;
        };
        let named = lines.iter().find_map(|line| rotation_step(line));
        let step = row["step"].as_str().and_then(RotationStep::from_name).or(named).unwrap_or(RotationStep::SetSecret);
        let mut evidence = healthy();
        fail(&mut evidence, step, &lines.iter().map(String::as_str).collect::<Vec<_>>());
        let findings = diagnose(&evidence).findings;
        let Some(first) = findings.first() else {
            faults.push(format!("nothing for {lines:?}"));
            continue;
        };
        let said = said(first);
        if others.is_some() {
            println!("--- {}\n{said}\n{}", lines.join("\n"), first.remediation.warning.as_deref().unwrap_or_default());
        }
        if first.cause.id() != cause {
            faults.push(format!("{} instead of {cause} for {lines:?}", first.cause));
            continue;
        }
        for word in texts(&row, "must_say").iter().filter(|word| !said.contains(word.as_str())) {
            faults.push(format!("{cause} does not say {word:?} for {lines:?}:\n{said}"));
        }
        for word in texts(&row, "must_not_say").iter().filter(|word| said.contains(word.as_str())) {
            faults.push(format!("{cause} says {word:?} for {lines:?}:\n{said}"));
        }
    }
    assert!(others.is_some() || read >= 280, "{read} inputs");
    assert!(faults.is_empty(), "{} of {read}:\n{}", faults.len(), faults.join("\n"));
}
