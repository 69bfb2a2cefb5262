//! What a package's file says of the program: commands, flags, variables, ports, paths, versions. Each is compared with the
//! program itself, and with the image's own file, from which the others take theirs.

use crate::read;
use regex::Regex;
use rotation_diag::cli;
use rotation_diag::config::Config;
use std::collections::BTreeSet;

/// The image's file.
pub(crate) const IMAGE: &str = "deploy/container/Dockerfile";

/// The configuration that goes with it.
pub(crate) const CONFIG: &str = "deploy/container/rotation-diag.toml";

/// All files that say something of the program.
pub(crate) const FILES: [&str; 15] = [
    IMAGE,
    CONFIG,
    "deploy/container/compose.yaml",
    "deploy/ecs.yaml",
    "deploy/kubernetes/claim.yaml",
    "deploy/kubernetes/deployment.yaml",
    "deploy/kubernetes/kustomization.yaml",
    "deploy/kubernetes/monitoring/network-policy.yaml",
    "deploy/kubernetes/monitoring/service-monitor.yaml",
    "deploy/kubernetes/network-policy.yaml",
    "deploy/kubernetes/rotation-diag.toml",
    "deploy/kubernetes/service.yaml",
    "deploy/rotation-diag.service",
    ".github/workflows/release.yml",
    "docs/install.md",
];

/// Variables of the AWS SDK, of Rust's logging and of the workflow's tools.
const OTHERS: [&str; 6] =
    ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_PROFILE", "RUST_LOG"];

/// The ports that are not the bot's: HTTPS, NFS, DNS, the agent of EKS Pod Identity.
const OTHER_PORTS: [&str; 4] = ["443", "2049", "53", "80"];

pub(crate) fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).unwrap()
}

/// The first group of every match.
pub(crate) fn all(pattern: &str, text: &str) -> Vec<String> {
    regex(pattern).captures_iter(text).map(|found| found[1].to_owned()).collect()
}

/// A file without its comments; of a document, the blocks that a shell runs.
pub(crate) fn said_in(name: &str, text: &str) -> String {
    if name.ends_with(".md") {
        return all(r"(?s)```sh\n(.*?)```", text).concat();
    }
    let is_comment = |line: &&str| line.trim_start().starts_with('#') && !line.starts_with("# syntax=");
    text.lines().filter(|line| !is_comment(line)).map(|line| format!("{line}\n")).collect()
}

/// What the image says, which the other files rely on.
struct Image {
    binary: String,
    config: String,
    user: String,
    port: String,
    volume: String,
}

impl Image {
    fn of(text: &str) -> Option<Image> {
        let one = |pattern: &str| all(pattern, text).pop();
        Some(Image {
            binary: one(r#"ENTRYPOINT \["([^"]+)"\]"#)?,
            config: one(r"ENV ROTATION_DIAG_CONFIG=(\S+)")?,
            user: one(r"(?m)^USER (\d+):\d+$")?,
            port: one(r"(?m)^EXPOSE (\d+)$")?,
            volume: one(r#"(?m)^VOLUME \["([^"]+)"\]$"#)?,
        })
    }
}

/// Everything that is wrong with a file, where the others are as they are.
pub(crate) fn problems(name: &str, text: &str) -> Vec<String> {
    let text = said_in(name, text);
    let image_text = if name == IMAGE { text.clone() } else { said_in(IMAGE, &read(IMAGE)) };
    let Some(image) = Image::of(&image_text) else {
        return vec!["the image lacks its program, configuration, user, port or volume".to_owned()];
    };
    let config_text = if name.ends_with(".toml") { text.clone() } else { read(CONFIG) };
    let config = match Config::parse(&config_text, rotation_diag::app::PLATFORMS) {
        Ok(config) => config,
        Err(problems) => return problems.into_iter().map(|(line, why)| format!("line {line}: {why}")).collect(),
    };
    let mut wrong = Vec::new();
    let port = config.http.listen.port().to_string();
    let metrics = config.metrics.map(|metrics| metrics.listen.port().to_string()).unwrap_or_default();
    let store = config.store.path.to_str().unwrap().to_owned();
    let volume = config.store.path.parent().unwrap().to_str().unwrap().to_owned();
    if (&image.port, &image.volume) != (&port, &volume) {
        wrong.push(format!(
            "the image has port {} and volume {}, its configuration {port} and {volume}",
            image.port, image.volume
        ));
    }
    let scraped =
        ["deployment.yaml", "service.yaml", "monitoring/network-policy.yaml"].map(|file| format!("deploy/kubernetes/{file}"));
    for file in scraped.iter().filter(|file| name.ends_with(".toml") || name == file.as_str()) {
        let manifest = if name == file.as_str() { text.clone() } else { said_in(file, &read(file)) };
        if !all(PORT, &manifest).contains(&metrics) {
            wrong.push(format!("{file} lacks the port of the metrics, {metrics}"));
        }
    }
    if name == IMAGE || name.ends_with(".toml") {
        for file in ["deploy/container/compose.yaml", "deploy/kubernetes/deployment.yaml", "deploy/ecs.yaml"] {
            let manifest = said_in(file, &read(file));
            if file != "deploy/ecs.yaml" && !regex(&format!(r"(?m){}(:ro)?$", regex::escape(&image.config))).is_match(&manifest) {
                wrong.push(format!("{file} has the configuration elsewhere than {}", image.config));
            }
            let tokens = all(r"env:([A-Z_]+)", &config_text);
            wrong.extend(
                tokens
                    .iter()
                    .filter(|token| !all(VARIABLE, &manifest).contains(token))
                    .map(|token| format!("{file} lacks {token}")),
            );
        }
    }
    for words in commands(name, &text) {
        if let Err(why) = understood(&words) {
            wrong.push(format!("{words:?}: {why}"));
        }
    }
    let known = variables(&text, &config_text);
    for variable in all(VARIABLE, &text) {
        if !known.contains(&variable) {
            wrong.push(format!("nothing reads {variable}"));
        }
    }
    for found in all(PORT, &text) {
        if found != port && found != metrics && !OTHER_PORTS.contains(&found.as_str()) {
            wrong.push(format!("nobody listens on {found}"));
        }
    }
    let served = served();
    for found in all(HTTP_PATH, &text) {
        let is_served = match found.strip_suffix('*') {
            Some(beginning) => served.iter().any(|path| path.starts_with(beginning)),
            None => served.contains(&found),
        };
        if !is_served {
            wrong.push(format!("{found} is not answered"));
        }
    }
    if name != "deploy/rotation-diag.service" && name != "docs/install.md" {
        let folder = image.config.rsplit_once('/').unwrap().0.to_owned();
        for found in all(FILE_PATH, &text) {
            if ![&image.binary, &image.config, &folder, &store, &volume].contains(&&found) {
                wrong.push(format!("{found} is no place of the image"));
            }
        }
    }
    for found in all(USER, &text) {
        if found != image.user {
            wrong.push(format!("the user of the image is {}, not {found}", image.user));
        }
    }
    for found in all(VERSION, &text) {
        if found != env!("CARGO_PKG_VERSION") {
            wrong.push(format!("this is version {}, not {found}", env!("CARGO_PKG_VERSION")));
        }
    }
    let rust = all(r#"(?m)^rust-version = "(.+)"$"#, &read("Cargo.toml")).pop().unwrap();
    for found in all(RUST, &text) {
        if found != rust {
            wrong.push(format!("Rust {rust} builds it, not {found}"));
        }
    }
    for found in all(REPOSITORY_FILE, &text) {
        if !crate::path(&found).exists() {
            wrong.push(format!("there is no {found}"));
        }
    }
    wrong
}

pub(crate) const VARIABLE: &str = r"\b((?:ROTATION_DIAG|SLACK|DISCORD|AWS)_[A-Z_]+|RUST_LOG)\b";
pub(crate) const PORT: &str = r#"(?:[pP]ort: |EXPOSE |listen = "[0-9.]+:|127\.0\.0\.1:\d+:)(\d{2,5})\b"#;
pub(crate) const HTTP_PATH: &str = r"(?:path: |HealthCheckPath: |Values: \[|, )(/[a-tv-z][a-z]*(?:/[a-z*]+)*)";
pub(crate) const FILE_PATH: &str = r"(/(?:usr/local/bin|var/lib|etc)/rotation-diag[a-z./-]*)";
pub(crate) const USER: &str = r#"\b(65\d\d\d)\b"#;
pub(crate) const VERSION: &str = r#"(?:rotation-diag:|newTag: |image\.version=")(\d+\.\d+\.\d+)"#;
pub(crate) const RUST: &str = r"(?:library/rust:|RUSTUP_TOOLCHAIN[:=] ?)(\d+\.\d+\.\d+)";
pub(crate) const REPOSITORY_FILE: &str = r"\b((?:deploy|config)/[a-z][a-z0-9_./-]*[a-z])\b";

/// The command lines of a file, without the program's name.
pub(crate) fn commands(name: &str, text: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for list in all(r"(?:CMD|command:|args:|Command:|test:) \[([^\]]*)\]", text) {
        let words = list.split(',').map(|word| word.trim().trim_matches('"').to_owned());
        found.push(words.filter(|word| word != "CMD" && !word.ends_with("/rotation-diag")).collect());
    }
    if !name.ends_with(".yaml") {
        // In a shell: the program, its command, and words up to what ends a command.
        for line in all(r"(?m)(?:^rotation-diag|/rotation-diag|rotation-diag:\S+) ([a-z][^\n&|;>)\\]*)", text) {
            found.push(line.split_whitespace().map(|word| word.trim_matches('"').to_owned()).collect());
        }
        found.extend(all(r#""\$IMAGE@\$DIGEST" ([^\n]+)"#, text).iter().map(|line| line.split(' ').map(str::to_owned).collect()));
    }
    found
}

/// Whether the program takes these arguments. The image names the configuration where a command does not.
fn understood(words: &[String]) -> Result<(), String> {
    let arguments = ["rotation-diag".to_owned()].into_iter().chain(words.iter().cloned());
    match cli::definition().try_get_matches_from(arguments) {
        Ok(_) => Ok(()),
        Err(error)
            if error.kind() == clap::error::ErrorKind::MissingRequiredArgument
                && error.to_string().contains("--config <FILE>") =>
        {
            Ok(())
        }
        Err(error) => Err(error.to_string()),
    }
}

/// The variables that something reads: the command line, the configurations, the AWS SDK, and what this file itself names as
/// the place of a token or of the configuration.
fn variables(text: &str, config: &str) -> BTreeSet<String> {
    let definition = cli::definition();
    let commands = definition.get_subcommands().chain([&definition]);
    let mut known: BTreeSet<String> = commands
        .flat_map(|command| command.get_arguments())
        .filter_map(|argument| argument.get_env()?.to_str().map(str::to_owned))
        .collect();
    known.extend(OTHERS.map(str::to_owned));
    known.extend(all(r"\benv:([A-Z_]+)", &[config, text, &read("config/rotation-diag.toml")].concat()));
    known
}

/// The paths that the program answers over HTTP, as its source has them.
fn served() -> BTreeSet<String> {
    let sources = [
        "src/app/health.rs",
        "src/app/web.rs",
        "src/alarm/endpoint.rs",
        "src/platforms/slack/signed_requests.rs",
        "src/platforms/discord/config.rs",
    ];
    sources.iter().flat_map(|file| all(r#"(?:route\(|: &str = )"(/[a-z/]+)""#, &read(file))).collect()
}
