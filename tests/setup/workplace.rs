//! A folder in which somebody sets the bot up: the configuration file, the variables of the shell, the commands.

use crate::fake_aws::FakeAws;
use crate::launched::Program;
use std::collections::BTreeMap;
use tempfile::TempDir;
use tokio::process::Command;

pub(crate) struct Workplace {
    pub(crate) folder: TempDir,
    variables: BTreeMap<String, String>,
}

/// What a command said, and its status.
#[derive(Debug)]
pub(crate) struct ProgramOutput {
    pub(crate) status: i32,
    pub(crate) text: String,
}

impl ProgramOutput {
    /// The lines that begin with this mark: `✓`, `?` or `✗`.
    pub(crate) fn lines(&self, mark: &str) -> Vec<&str> {
        self.text.lines().filter(|line| line.starts_with(mark)).collect()
    }

    #[track_caller]
    pub(crate) fn has(&self, words: &str) -> &ProgramOutput {
        assert!(self.text.contains(words), "{words:?} is not in:\n{}", self.text);
        self
    }

    /// Nothing is missing.
    #[track_caller]
    pub(crate) fn is_healthy(&self) {
        assert_eq!((self.status, self.lines("✗")), (0, Vec::<&str>::new()), "{}", self.text);
    }

    /// This alone is missing.
    #[track_caller]
    pub(crate) fn misses(&self, words: &[&str]) {
        let missing = self.lines("✗");
        assert_eq!((self.status, missing.len()), (1, words.len()), "{}", self.text);
        for (line, words) in missing.iter().zip(words) {
            assert!(line.contains(words), "{words:?} is not in {line:?}");
        }
    }
}

/// The rows of the table that `check` prints, as `mark what: how it stands`.
fn unpadded(text: &str) -> String {
    let row = regex::Regex::new(r"(?m)^([✓?✗])  (\S.*?)  +(\S)").unwrap();
    row.replace_all(text, "$1 $2: $3").into_owned()
}

impl Workplace {
    /// A shell with AWS credentials, and no region.
    pub(crate) fn new(aws: &FakeAws) -> Workplace {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().display().to_string();
        let mut variables = BTreeMap::new();
        for (name, value) in [
            ("HOME", home.as_str()),
            ("AWS_ACCESS_KEY_ID", "AKIDSIMULATED"),
            ("AWS_SECRET_ACCESS_KEY", "simulated"),
            ("AWS_EC2_METADATA_DISABLED", "true"),
            ("AWS_ENDPOINT_URL", &aws.account.endpoint_url()),
            ("AWS_ENDPOINT_URL_SNS", &aws.sns_url()),
            // What a test does not play is nowhere: nobody listens there.
            ("HTTPS_PROXY", "http://127.0.0.1:9"),
        ] {
            variables.insert(name.to_owned(), value.to_owned());
        }
        Workplace { folder, variables }
    }

    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.variables.insert(name.to_owned(), value.to_owned());
    }

    pub(crate) fn unset(&mut self, name: &str) {
        self.variables.remove(name);
    }

    /// Writes `rotation-diag.toml`; only what leads to the fakes is put in, below the head of its table.
    pub(crate) fn write(&self, config: &str, fakes: &[(&str, String)]) {
        let mut text = format!("{config}\n");
        if !text.contains("[http]") {
            text.push_str("[http]\nlisten = \"127.0.0.1:0\"\n");
        }
        for (head, line) in fakes {
            assert_eq!(text.matches(&format!("{head}\n")).count(), 1, "{head}: {text}");
            text = text.replace(&format!("{head}\n"), &format!("{head}\n{line}\n"));
        }
        std::fs::write(self.folder.path().join("rotation-diag.toml"), text).unwrap();
    }

    /// Runs a line of a document as a shell would: `export NAME=…` or `rotation-diag …`. Where a token stands in it as
    /// `…`, `tokens` has it.
    pub(crate) async fn run(&mut self, line: &str, tokens: &[(&str, &str)]) -> Option<ProgramOutput> {
        if let Some(assignments) = line.strip_prefix("export ") {
            for assignment in assignments.split(' ') {
                let (name, _) = assignment.split_once('=').unwrap();
                let (_, token) = tokens.iter().find(|(known, _)| *known == name).unwrap_or_else(|| panic!("{line}"));
                self.set(name, token);
            }
            return None;
        }
        let output = self.command(line).output().await.unwrap();
        let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        Some(ProgramOutput { status: output.status.code().unwrap(), text: unpadded(&text) })
    }

    /// `rotation-diag check` with the configuration.
    pub(crate) async fn check(&mut self) -> ProgramOutput {
        self.run("rotation-diag check --config rotation-diag.toml", &[]).await.unwrap()
    }

    /// The same where no file can be written to any more.
    pub(crate) async fn check_on_a_full_disk(&self) -> ProgramOutput {
        let mut command = Command::new("sh");
        let script = "trap '' XFSZ; ulimit -f 0; exec \"$0\" check --config rotation-diag.toml";
        command.args(["-c", script, env!("CARGO_BIN_EXE_rotation-diag")]);
        let command = command.env_clear().envs(&self.variables).env("PATH", "/usr/bin:/bin").current_dir(self.folder.path());
        let output = command.output().await.unwrap();
        let text = unpadded(&String::from_utf8([output.stdout, output.stderr].concat()).unwrap());
        ProgramOutput { status: output.status.code().unwrap(), text }
    }

    /// Starts a line that goes on running, and waits until it listens.
    pub(crate) async fn start(&self, line: &str) -> Program {
        Program::launch(self.command(line)).await
    }

    fn command(&self, line: &str) -> Command {
        let mut words = line.split(' ');
        assert_eq!(words.next(), Some("rotation-diag"), "{line}");
        let mut command = Command::new(env!("CARGO_BIN_EXE_rotation-diag"));
        command.args(words).env_clear().envs(&self.variables).current_dir(self.folder.path()).kill_on_drop(true);
        command
    }
}
