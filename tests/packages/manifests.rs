//! The files of the packages against the program, against each other, and each thing they say changed once.

use crate::claims::{
    CONFIG, FILE_PATH, FILES, HTTP_PATH, IMAGE, PORT, REPOSITORY_FILE, RUST, USER, VARIABLE, VERSION, all, commands, problems,
    regex, said_in,
};
use crate::{path, read, rust_files};
use rotation_diag::config::{Config, Work};
use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

#[test]
fn everything_the_packages_say_of_the_program_is_true() {
    for name in FILES {
        assert_eq!(problems(name, &read(name)), Vec::<String>::new(), "{name}");
    }
    let manifests =
        fs::read_dir(path("deploy/kubernetes")).unwrap().count() + fs::read_dir(path("deploy/container")).unwrap().count();
    let checked =
        FILES.iter().filter(|name| name.starts_with("deploy/kubernetes/") || name.starts_with("deploy/container/")).count();
    let monitoring = fs::read_dir(path("deploy/kubernetes/monitoring")).unwrap().count();
    // The namespace, the service account, the budget and the list of what monitoring takes say nothing of the program; the
    // folder of the latter counted as a file.
    assert_eq!(manifests - 1 + monitoring, checked + 4, "a file in deploy/ is not checked");
}

/// The file with what stands at each place that a pattern finds changed a little, one at a time.
fn changed(text: &str, pattern: &str) -> Vec<String> {
    let found = regex(pattern);
    found
        .captures_iter(text)
        .filter_map(|one| one.get(1))
        .map(|place| {
            let mut changed = text.to_owned();
            let other = match place.as_str().strip_suffix(|last: char| last.is_ascii_digit()) {
                Some(beginning) => format!("{beginning}{}", if place.as_str().ends_with('9') { '8' } else { '9' }),
                None if place.as_str().ends_with('*') => format!("/x{}", place.as_str()),
                None if place.as_str().ends_with(|last: char| last.is_ascii_uppercase()) => format!("{}X", place.as_str()),
                None => format!("{}x", place.as_str()),
            };
            changed.replace_range(place.range(), &other);
            changed
        })
        .collect()
}

#[test]
fn each_thing_that_is_said_is_noticed_when_it_is_wrong() {
    let patterns = [VARIABLE, PORT, HTTP_PATH, FILE_PATH, USER, VERSION, RUST, REPOSITORY_FILE];
    let mut tried = [0; 8];
    for name in FILES {
        let text = said_in(name, &read(name));
        let text = if name.ends_with(".md") { format!("```sh\n{text}```\n") } else { text };
        // Of the unit and the documents other tests say so, and of the store's name any is as good.
        let has_own_places = ["deploy/rotation-diag.service", "docs/install.md"].contains(&name) || name.ends_with(".toml");
        let is_free = |pattern: &str| pattern == FILE_PATH && has_own_places;
        for (at, pattern) in patterns.into_iter().enumerate().filter(|(_, pattern)| !is_free(pattern)) {
            for other in changed(&text, pattern) {
                tried[at] += 1;
                assert!(!problems(name, &other).is_empty(), "{name}: this goes unnoticed:\n{other}");
            }
        }
    }
    assert!(tried.iter().all(|count| *count > 2), "{tried:?}");
}

#[test]
fn each_word_of_a_command_is_noticed_when_it_is_wrong() {
    let mut tried = 0;
    for name in FILES {
        let text = read(name);
        for words in commands(name, &said_in(name, &text)) {
            for word in words
                .iter()
                .filter(|word| word.starts_with("--") || word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'))
            {
                // A value, such as a name of somebody's choice, is as good as another.
                let is_value = words.iter().position(|one| one == word) > Some(0) && !word.starts_with('-');
                if is_value {
                    continue;
                }
                tried += 1;
                let other = regex(&format!(r#"([\s\[/,"]){}([\s\],"]|$)"#, regex::escape(word)))
                    .replace_all(&text, format!("${{1}}{word}x${{2}}"));
                assert_ne!(other, text, "{name}: {word}");
                assert!(!problems(name, &other).is_empty(), "{name}: {word}x goes unnoticed");
            }
        }
    }
    assert!(tried > 15, "{tried}");
}

#[test]
fn both_containers_have_one_configuration_and_each_key_of_it_is_checked() {
    let text = read(CONFIG);
    assert_eq!(read("deploy/kubernetes/rotation-diag.toml"), text);
    for key in all(r"(?m)^([a-z_]+) = ", &text) {
        let other = regex(&format!("(?m)^{key} = ")).replace(&text, format!("{key}x = "));
        assert!(!problems(CONFIG, &other).is_empty(), "{key}");
    }
    let elsewhere = text.replace("/var/lib/rotation-diag/", "/var/lib/bot/");
    assert!(!problems(CONFIG, &elsewhere).is_empty(), "the store is not on the volume");
    // The Parameter Store takes no more in a standard parameter. Source: Systems Manager quotas.
    assert!(text.len() <= 4_096, "{}", text.len());
}

/// The tokens that the packages' configuration wants, which a manifest does not give.
fn tokens_missing(manifest: &str) -> Vec<String> {
    let wanted = all(r"env:([A-Z_]+)", &read(CONFIG));
    wanted.into_iter().filter(|name| !regex(&format!(r"(?m)(?:^\s+{name}:|[nN]ame: {name}\b)")).is_match(manifest)).collect()
}

#[test]
fn every_manifest_gives_the_tokens_and_time_to_finish() {
    let config = Config::parse(&read(CONFIG), rotation_diag::app::PLATFORMS).unwrap();
    assert_eq!(config.work, Work::default());
    for name in ["deploy/container/compose.yaml", "deploy/ecs.yaml", "deploy/kubernetes/deployment.yaml"] {
        let text = said_in(name, &read(name));
        assert_eq!(tokens_missing(&text), Vec::<String>::new(), "{name}");
        assert_eq!(tokens_missing(&text.replace("SLACK_APP_TOKEN", "OTHER")), ["SLACK_APP_TOKEN"], "{name}");
        let patience = all(r"(?:stop_grace_period|StopTimeout|terminationGracePeriodSeconds): (\d+)", &text).pop().unwrap();
        // Running work, three times five seconds for the last messages and the parts, and what the start of a process takes.
        assert!(patience.parse::<u64>().unwrap() >= config.work.drain.as_secs() + 20, "{name}: {patience}");
    }
}

#[test]
fn what_runs_has_no_rights_and_there_is_never_a_second_one() {
    for (name, needed) in [
        (
            "deploy/container/compose.yaml",
            &["read_only: true", "cap_drop: [ALL]", "no-new-privileges:true", "user: \"65532:65532\""][..],
        ),
        (
            "deploy/kubernetes/deployment.yaml",
            &[
                "runAsNonRoot: true",
                "readOnlyRootFilesystem: true",
                "allowPrivilegeEscalation: false",
                "drop: [ALL]",
                "type: RuntimeDefault",
                "automountServiceAccountToken: false",
                "replicas: 1",
                "type: Recreate",
            ],
        ),
        ("deploy/kubernetes/claim.yaml", &["ReadWriteOncePod"]),
        (
            "deploy/ecs.yaml",
            &[
                "ReadonlyRootFilesystem: true",
                "User: \"65532:65532\"",
                "DesiredCount: 1",
                "MaximumPercent: 100",
                "TransitEncryption: ENABLED",
            ],
        ),
        (IMAGE, &["USER 65532:65532", "cc-debian13:nonroot@sha256:"]),
    ] {
        let text = said_in(name, &read(name));
        for one in needed {
            assert!(text.contains(one), "{name}: {one}");
        }
    }
}

#[test]
fn kustomize_takes_every_manifest_and_they_name_each_other() {
    let list = read("deploy/kubernetes/kustomization.yaml");
    let mut listed = all(r"(?m)^  - ([a-z-]+\.yaml)$", &list);
    let mut there: Vec<String> = fs::read_dir(path("deploy/kubernetes"))
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".yaml") && name != "kustomization.yaml")
        .collect();
    listed.sort();
    there.sort();
    assert_eq!(listed, there);
    let manifest = |kind: &str| {
        let texts = there.iter().map(|name| read(&format!("deploy/kubernetes/{name}")));
        texts.into_iter().find(|text| text.contains(&format!("kind: {kind}\n"))).unwrap_or_else(|| panic!("{kind}"))
    };
    let name = |kind: &str| all(r"(?m)^metadata:\n  name: (\S+)", &manifest(kind)).pop().unwrap();
    let deployment = manifest("Deployment");
    assert!(deployment.contains(&format!("serviceAccountName: {}\n", name("ServiceAccount"))));
    assert!(deployment.contains(&format!("claimName: {}\n", name("PersistentVolumeClaim"))));
    assert!(
        deployment.contains(&format!("configMap:\n            name: {}\n", all(r"(?m)^  - name: (\S+)\n    files:", &list)[0]))
    );
    let port = all(r"- name: (\S+)\n              containerPort", &deployment).pop().unwrap();
    assert_eq!(deployment.matches(&format!("port: {port}\n")).count(), 3);
    assert!(manifest("Service").contains(&format!("targetPort: {port}\n")));
    for kind in ["Service", "PodDisruptionBudget", "NetworkPolicy", "Deployment"] {
        assert!(manifest(kind).contains("app.kubernetes.io/component: bot\n"), "{kind}");
    }
    // The image of the deployment is the one that kustomize replaces.
    assert_eq!(all(r"image: (\S+)", &deployment), all(r"(?m)^images:\n  - name: (\S+)", &list));
}

#[test]
fn what_a_release_is_made_with_is_pinned_and_what_it_makes_is_signed() {
    let workflow = read(".github/workflows/release.yml");
    let used = all(r"uses: (.+)", &workflow);
    assert!(used.len() > 10, "{used:?}");
    let pinned = regex(r"^[a-z]+/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$");
    for one in &used {
        assert!(pinned.is_match(one), "{one}");
    }
    let image = read(IMAGE);
    for base in all(r"(?m)^FROM (\S+)", &image) {
        assert!(regex(r"@sha256:[0-9a-f]{64}$").is_match(&base), "{base}");
    }
    let auditable = r"--version (\d+\.\d+\.\d+) cargo-auditable";
    assert_eq!(all(auditable, &workflow), all(auditable, &image));
    for step in [
        "cosign sign --yes",
        "cosign sign-blob --yes",
        "sha256sum",
        "subject-path: programs/*.tar.gz",
        "subject-digest:",
        "sbom: true",
    ] {
        assert!(workflow.contains(step), "{step}");
    }
    for target in ["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu", "linux/amd64", "linux/arm64"] {
        assert!(workflow.contains(target), "{target}");
    }
    // What the jobs may do is granted one by one.
    assert!(workflow.contains("\npermissions: {}\n") && !workflow.contains("write-all"));
}

/// The files that the program includes when it is built, with where; those of its unit tests left out.
fn included() -> Vec<(String, String)> {
    let sources: Vec<(PathBuf, String)> =
        rust_files(&path("src")).into_iter().map(|file| (file.clone(), fs::read_to_string(file).unwrap())).collect();
    let of_tests: BTreeSet<String> =
        sources.iter().flat_map(|(_, text)| all(r"#\[cfg\(test\)\]\s*(?:pub\(crate\) )?mod ([a-z_]+);", text)).collect();
    let include = regex(r#"include_(?:str|bytes|dir)!\(\s*"([^"]+)""#);
    let mut found = Vec::new();
    for (file, text) in sources.iter().filter(|(file, _)| !of_tests.contains(file.file_stem().unwrap().to_str().unwrap())) {
        let built = text.split("#[cfg(test)]").next().unwrap();
        for one in include.captures_iter(built) {
            let named = one[1].replace("$CARGO_MANIFEST_DIR", env!("CARGO_MANIFEST_DIR"));
            let whole = fs::canonicalize(file.parent().unwrap().join(named)).unwrap();
            let name = whole.strip_prefix(fs::canonicalize(path("")).unwrap()).unwrap().to_str().unwrap().to_owned();
            found.push((name, file.display().to_string()));
        }
    }
    found
}

#[test]
fn the_image_is_built_from_everything_the_program_includes() {
    let sent = all(r"(?m)^!(.+)$", &read(".dockerignore"));
    let is_sent = |name: &str, sent: &[String]| sent.iter().any(|one| name == one || name.starts_with(&format!("{one}/")));
    let included = included();
    assert!(included.len() > 4, "{included:?}");
    for (name, by) in &included {
        assert!(is_sent(name, &sent), "{by} includes {name}, which .dockerignore keeps from the image");
    }
    let without: Vec<String> = sent.iter().filter(|one| *one != "deploy/reader-role.yaml").cloned().collect();
    assert!(included.iter().any(|(name, _)| !is_sent(name, &without)));
    for needed in ["Cargo.toml", "Cargo.lock", "benches", "LICENSE-MIT", "LICENSE-APACHE"] {
        assert!(is_sent(needed, &sent), "{needed}");
    }
}
