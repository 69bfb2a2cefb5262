//! The program itself between a Slack and an AWS account that are not real, with everything logged that it can log.

use crate::fake_slack::{APP_TOKEN, BOT_TOKEN, FakeSlack, Posted};
use crate::reading::{read, undated, value_of};
use rotation_diag::clock::Clock;
use rotation_diag::simulator::{Scenario, Simulator};
use std::io::Read as _;
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;
use tempfile::TempDir;

struct Program {
    child: Child,
    log: JoinHandle<String>,
    _folder: TempDir,
}

impl Program {
    fn start(fake: &FakeSlack, aws: &Simulator) -> Program {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("rotation-diag.toml");
        let text = format!(
            "default_region = \"eu-west-1\"\n\
             [[allow]]\nplatform = \"slack\"\nworkspace = \"T1\"\nchannels = [\"C1\"]\nusers = [\"U1\"]\n\
             [store]\npath = \"{}\"\n\
             [http]\nlisten = \"127.0.0.1:0\"\n\
             [slack]\nmode = \"socket\"\nbot_token = \"env:BOT\"\napp_token = \"env:APP\"\nconnections = 1\napi_url = \"{}\"\n",
            folder.path().join("bot.db").display(),
            fake.api_url(),
        );
        std::fs::write(&config, text).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_rotation-diag"))
            .args(["serve", "--config"])
            .arg(&config)
            .env_clear()
            .envs([
                ("HOME", "/nonexistent"),
                ("AWS_EC2_METADATA_DISABLED", "true"),
                ("AWS_CONFIG_FILE", "/nonexistent/config"),
                ("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent/credentials"),
                ("AWS_REGION", "eu-west-1"),
                ("AWS_ACCESS_KEY_ID", "AKIDSIMULATED"),
                ("AWS_SECRET_ACCESS_KEY", "simulated"),
                ("AWS_ENDPOINT_URL", &aws.endpoint_url()),
                ("BOT", BOT_TOKEN),
                ("APP", APP_TOKEN),
                ("RUST_LOG", "trace"),
            ])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stderr = child.stderr.take().unwrap();
        let log = std::thread::spawn(move || {
            let mut log = Vec::new();
            stderr.read_to_end(&mut log).unwrap();
            String::from_utf8_lossy(&log).into_owned()
        });
        Program { child, log, _folder: folder }
    }

    /// Ends it as a supervisor does; what it logged.
    fn stop(mut self) -> String {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        let status = self.child.wait().unwrap();
        let log = self.log.join().unwrap();
        assert!(status.success(), "{status}\n{log}");
        log
    }
}

impl FakeSlack {
    /// Someone presses a button of a message as it is now.
    async fn clicks(&self, user: &str, post: &Posted, action: &str) -> Option<serde_json::Value> {
        let now = self.world().message(&post.channel, &post.ts).unwrap().clone();
        let payload = self.click_payload_of(user, &now, &value_of(&now.blocks, action));
        let envelope = self.deliver("interactive", payload);
        self.acknowledged(&envelope).await
    }

    /// Waits until a message reads so.
    async fn reads(&self, post: &Posted, expected: &str) -> Posted {
        let (channel, ts, expected) = (post.channel.clone(), post.ts.clone(), expected.to_owned());
        let what = format!("a message that reads {expected:?}");
        self.until(&what, move |world| {
            world.message(&channel, &ts).filter(|post| read(&post.blocks).contains(&expected)).cloned()
        })
        .await
    }

    /// Waits for a message, among those not read yet, that reads so.
    async fn next_that_reads(&self, expected: &str) -> Posted {
        loop {
            let post = self.next_post().await;
            if read(&post.blocks).contains(expected) {
                return post;
            }
        }
    }
}

fn account(scenario: &str) -> Simulator {
    let (_, text) = Scenario::embedded().find(|(name, _)| *name == scenario).unwrap();
    Simulator::start(Scenario::parse(text).unwrap(), Clock::system().now()).unwrap()
}

#[tokio::test]
async fn from_the_command_to_the_verdict_its_buttons_and_the_end() {
    let fake = FakeSlack::start().await;
    let aws = account("role_detached_policy");
    let program = Program::start(&fake, &aws);
    fake.sockets_open(1).await;

    let refused = fake.deliver("slash_commands", fake.command_payload("U2", "C1", "prod/orders-db"));
    let refusal = fake.acknowledged(&refused).await;
    let Some(refusal) = refusal else { panic!("{}", program.stop()) };
    assert!(!refusal.to_string().contains("orders-db"), "a refusal does not say whether the secret exists: {refusal}");
    let help = fake.deliver("slash_commands", fake.command_payload("U1", "C1", "help"));
    insta::assert_snapshot!("help", read(&fake.acknowledged(&help).await.unwrap()["blocks"]));

    let command = fake.deliver("slash_commands", fake.command_payload("U1", "C1", "prod/orders-db"));
    assert_eq!(fake.acknowledged(&command).await, None);
    let root = fake.next_post().await;
    assert_eq!((root.channel.as_str(), &root.thread), ("C1", &None));
    let verdict = fake.reads(&root, "is not rotating").await;
    assert!(verdict.edits > 0, "the progress message becomes the verdict");
    insta::assert_snapshot!("flow_verdict", undated(&read(&verdict.blocks)));
    let details = fake.next_that_reads("What the nine steps saw").await;
    assert_eq!(details.thread.as_deref(), Some(root.ts.as_str()));
    insta::assert_snapshot!("flow_details", undated(&read(&details.blocks)));

    // Each button does what it says, and the thread tells who pressed it.
    let mut told = Vec::new();
    for action in ["rerun-4", "widen-7", "evidence-4", "compare", "export", "watch"] {
        assert_eq!(fake.clicks("U1", &root, action).await, None);
        let answer = fake.next_post().await;
        assert_eq!(answer.thread.as_deref(), Some(root.ts.as_str()));
        told.push(format!("[{action}]\n{}", undated(&read(&answer.blocks))));
    }
    insta::assert_snapshot!("flow_answers", told.join("\n\n"));
    for (name, content) in [("prod-orders-db.json", "\"schema_version\""), ("prod-orders-db.md", "is not rotating")] {
        let file = fake.until("an export", |world| world.read_file()).await;
        assert_eq!((file.name.as_str(), file.thread.as_deref()), (name, Some(root.ts.as_str())));
        assert!(String::from_utf8(file.content).unwrap().contains(content), "{name}");
    }

    // The same by words in the thread.
    let mention = fake.deliver("events_api", fake.mention_payload("U1", "C1", "rerun 5", Some(&root.ts)));
    fake.acknowledged(&mention).await;
    assert!(read(&fake.next_post().await.blocks).contains("ran step 5 again"));

    // A button of a message as it was, one pressed by someone who may not, and one pressed twice.
    let old = fake.click_payload_of("U1", &verdict, &value_of(&verdict.blocks, "widen-7"));
    let old = fake.deliver("interactive", old);
    fake.acknowledged(&old).await;
    assert!(fake.next_whisper().await.to_string().contains("xpired"));
    fake.clicks("U2", &root, "resolve").await;
    assert!(fake.next_whisper().await.to_string().contains("not allowed for you here"));
    let now = fake.world().message("C1", &root.ts).unwrap().clone();
    let both = ["U1", "U1"]
        .map(|user| fake.deliver("interactive", fake.click_payload_of(user, &now, &value_of(&now.blocks, "resolve"))));
    for envelope in &both {
        fake.acknowledged(envelope).await;
    }
    assert_eq!(read(&fake.next_post().await.blocks), "# U1 closed this.");
    assert!(fake.next_whisper().await["text"].as_str().unwrap().contains("already"));
    insta::assert_snapshot!("flow_resolved", undated(&read(&fake.reads(&root, "resolved by U1").await.blocks)));

    let log = program.stop();
    let shown = fake.world().everything_shown();
    for secret in ["canaryticket", "canarytrigger", "canaryresponse", "canaryverification", BOT_TOKEN, APP_TOKEN, "AKIDSIMULATED"]
    {
        assert!(!log.contains(secret), "{secret} is in the log:\n{log}");
        assert!(!shown.contains(secret), "{secret} was shown");
    }
    fake.finish();
}
