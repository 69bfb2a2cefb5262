//! Every scenario ends as its file says, in words that hold for all of them.

use super::*;

pub(super) fn complaints(Played { investigation, expect, violations, .. }: &Played) -> Vec<String> {
    let diagnosis = &investigation.diagnosis;
    let mut complaints = Vec::new();
    let outcome = id(diagnosis.outcome);
    if outcome != expect.outcome {
        complaints.push(format!("the outcome is {outcome}, not {}", expect.outcome));
    }
    let first = diagnosis.findings.first();
    if let Some(cause) = &expect.cause {
        match first {
            Some(finding) if finding.cause.id() == cause => {}
            other => complaints.push(format!("the first finding is {:?}, not {cause}", other.map(|finding| finding.cause.id()))),
        }
    }
    if let (Some(confidence), Some(finding)) = (&expect.confidence, first)
        && id(finding.confidence) != *confidence
    {
        complaints.push(format!("{} is {}, not {confidence}", finding.cause, id(finding.confidence)));
    }
    for cause in &expect.not_cause {
        if diagnosis.findings.iter().any(|finding| finding.cause.id() == cause) {
            complaints.push(format!("{cause} was found"));
        }
    }
    for cause in &expect.inhibited {
        if !diagnosis.findings.iter().any(|finding| finding.cause.id() == cause && finding.inhibited_by.is_some()) {
            complaints.push(format!("{cause} is not listed as a symptom"));
        }
    }
    for cause in &expect.not_checked {
        if !diagnosis.not_checked.iter().any(|unchecked| unchecked.cause.id() == cause) {
            complaints.push(format!("{cause} is not among what could not be checked"));
        }
    }
    for cause in &expect.obstacles {
        if !diagnosis.forecast.obstacles.iter().any(|obstacle| obstacle.cause.id() == cause) {
            complaints.push(format!("{cause} is not foretold"));
        }
    }
    let code = investigation.evidence.function_code.status();
    if expect.code.as_ref().is_some_and(|expected| expected != code) {
        complaints.push(format!("the code was {code}"));
    }
    for finding in &diagnosis.findings {
        if finding.evidence.is_empty() && finding.severity > Severity::Info {
            complaints.push(format!("{} rests on nothing", finding.cause));
        }
    }
    complaints.extend(doubled_words(investigation));
    complaints.extend(faults_of_style(investigation));
    complaints.extend(violations.iter().map(|call| format!("{call} was called")));
    complaints
}

/// Words that stand twice in what the report says in its own words.
fn doubled_words(investigation: &Investigation) -> Vec<String> {
    let report = Report::new(investigation);
    let mut texts = vec![wording::headline(&report)];
    texts.extend(wording::context(&report).iter().map(rotation_diag::report::Phrase::in_utc));
    texts.extend(wording::also(&report).0);
    texts.extend(wording::next_looks(&report));
    texts.extend(wording::changes(&report).0);
    texts.extend(wording::ruled_out(&report).0);
    texts.extend(wording::not_checked(&report).0);
    texts.extend(report.steps.iter().map(wording::step_summary));
    for finding in &report.findings {
        texts.push(wording::what_happened(finding));
        texts.push(finding.remediation.summary.clone());
        texts.extend(finding.remediation.warning.clone());
    }
    let is_doubled = |text: &SafeText| {
        let words: Vec<&str> = text.split(' ').collect();
        words.windows(2).any(|pair| {
            let bare = pair[1].trim_end_matches(['.', ',', ';', ':']);
            bare == pair[0] && bare.len() > 1 && bare.chars().all(char::is_alphabetic)
        })
    };
    texts.retain(is_doubled);
    texts.iter().map(|text| format!("a word stands twice: {text}")).collect()
}

/// The most words of a sentence, up to a stop, a colon or a semicolon.
const MAX_WORDS: usize = 40;

/// What a reader on call stumbles over, as far as a machine finds it: see "How we write" in CONTRIBUTING.md.
fn faults_of_style(investigation: &Investigation) -> Vec<String> {
    let report = Report::new(investigation);
    let mut faults = Vec::new();
    let mut texts: Vec<String> =
        report.plan.iter().map(|step| step.effect.to_string()).chain(outlook::worth(&report).map(String::from)).collect();
    for finding in &report.findings {
        let (explanation, remedy) = (finding.explanation.to_string(), &finding.remediation);
        if wording::what_happened(finding).ends_with('…') {
            faults.push(format!("what happened is cut: {explanation}"));
        }
        let advice = [Some(remedy.summary.to_string()), remedy.warning.as_ref().map(ToString::to_string)];
        for text in advice.iter().flatten() {
            let is_long = |sentence: &&str| sentence.split_whitespace().count() > MAX_WORDS;
            let plain = text.replace(": ", ". ").replace("; ", ". ");
            faults.extend(plain.split(". ").filter(is_long).map(|sentence| format!("a sentence is too long: {sentence}")));
        }
        let uses = |client: &str| remedy.commands.iter().any(|command| command.contains(client));
        let told = advice.iter().flatten().cloned().collect::<String>();
        faults.extend(
            ["psql", "mysql", "sqlplus", "sqlcmd", "mongosh"]
                .into_iter()
                .filter(|client| told.contains(&format!("{client} takes")) && !uses(client))
                .map(|client| format!("{client} is explained, and no command uses it: {told}")),
        );
        texts.extend(advice.into_iter().flatten().chain([finding.title.to_string(), explanation]));
    }
    let one_of_many =
        regex::Regex::new(r"\b1 (?:attempts|rotations|invocations|secrets|changes|versions|statements|causes)\b").unwrap();
    for text in texts {
        let what = match &text {
            text if text.contains("[hidden") => "our own words are masked",
            text if text.contains("..") || text.contains(" .") || text.contains(".).") => "a stop too many",
            text if text.contains("  ") => "a space too many",
            text if one_of_many.is_match(text) => "one is counted as many",
            _ => continue,
        };
        faults.push(format!("{what}: {text}"));
    }
    faults
}

#[tokio::test(flavor = "multi_thread")]
async fn every_scenario_ends_as_its_file_expects() {
    let in_detail = std::env::var_os("SCENARIO").is_some();
    let mut failed = Vec::new();
    let mut verdicts = BTreeMap::<String, (usize, usize)>::new();
    for played in played().await {
        let complaints = complaints(played);
        let leading = played.investigation.diagnosis.findings.first().filter(|first| first.severity > Severity::Info);
        if let (Some(first), Some(cause)) = (leading, &played.expect.cause) {
            let (right, all) = verdicts.entry(id(first.confidence)).or_default();
            *right += usize::from(first.cause.id() == cause);
            *all += 1;
        }
        if !complaints.is_empty() {
            let detail = in_detail.then_some(&played.investigation);
            failed.push(format!("{}: {}\n{detail:#?}", played.name, complaints.join("; ")));
        }
    }
    for (confidence, (right, all)) in &verdicts {
        println!("of {all} verdicts called {confidence}, {right} are right");
    }
    failed.sort();
    assert!(failed.is_empty(), "{} scenarios end otherwise:\n{}", failed.len(), failed.join("\n"));
}

/// What is said before event history has answered is never taken back: the end names the same cause, or nothing that stops a
/// secret which was called healthy.
#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_every_scenario_agrees_with_its_early_word() {
    let ending = |investigation: &Investigation| {
        let diagnosis = &investigation.diagnosis;
        let stops = diagnosis.findings.first().filter(|finding| finding.severity == Severity::Critical);
        let is_told = matches!(diagnosis.outcome, Outcome::RootCause | Outcome::Healthy);
        (is_told, stops.map(|finding| finding.cause))
    };
    let (mut with_early_word, mut confirmed, mut taken_back) = (0, 0, Vec::new());
    for Played { name, investigation, early, .. } in played().await {
        let root = investigation.diagnosis.findings.first();
        confirmed += usize::from(root.is_some_and(|root| root.confidence == Confidence::Confirmed));
        with_early_word += usize::from(!early.is_empty());
        for early in early {
            if ending(early) != ending(investigation) {
                taken_back.push(format!("{name}: {:?}, and in the end {:?}", ending(early), ending(investigation)));
            }
        }
    }
    assert!(taken_back.is_empty(), "{}", taken_back.join("\n"));
    assert!(std::env::var_os("SCENARIO").is_some() || with_early_word * 3 >= confirmed, "{with_early_word} of {confirmed}");
}

#[test]
fn every_cause_of_the_catalogue_leads_in_a_scenario() {
    let expected: Vec<Expect> = Scenario::embedded()
        .map(|(name, text)| Scenario::parse(text).unwrap_or_else(|error| panic!("{name}: {error}")).expect.unwrap())
        .collect();
    assert!(expected.len() >= 45, "{} scenarios", expected.len());
    for outcome in ["root_cause", "healthy", "inconclusive", "not_found"] {
        assert!(expected.iter().any(|expect| expect.outcome == outcome), "no scenario ends {outcome}");
    }
    let led: Vec<&str> = expected.iter().filter_map(|expect| expect.cause.as_deref()).collect();
    for cause in &led {
        assert!(Cause::from_id(cause).is_some(), "{cause} is not in the catalogue");
    }
    let missing: Vec<_> = Cause::ALL.iter().filter(|cause| !cause.is_line_label() && !led.contains(&cause.id())).collect();
    assert!(missing.is_empty(), "no scenario is led by {missing:?}");
}
