//! The program itself between a Slack and an AWS account that are not real, with everything logged that it can log.

use crate::environment::NO_ACCOUNT;
use crate::fake_slack::{APP_TOKEN, BOT_TOKEN, FakeSlack, Fault, OTHER_TEAM, Posted, SECRET, STRANGER, TEAM, signature};
use crate::reading::{read, undated, value_of};
use rotation_diag::clock::Clock;
use rotation_diag::simulator::{Scenario, Simulator};
use serde_json::json;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::Receiver;
use std::thread::JoinHandle;
use std::time::Duration;
use tempfile::TempDir;

/// A child that does not outlive the test, however that ends.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

struct Program {
    child: Running,
    log: JoinHandle<String>,
    address: Receiver<String>,
    _folder: TempDir,
}

const SOCKET: &str = "mode = \"socket\"\napp_token = \"env:APP\"\nconnections = 1";
const HTTP: &str = "mode = \"http\"\nsigning_secret = \"env:SIGNING\"";

impl Program {
    /// The bot, for `U1` in the channels `C1` and `C3`.
    fn start(fake: &FakeSlack, aws: &Simulator) -> Program {
        Program::start_as(SOCKET, fake, aws)
    }

    fn start_as(mode: &str, fake: &FakeSlack, aws: &Simulator) -> Program {
        Program::start_for("[\"U1\"]", mode, fake, aws)
    }

    fn start_for(users: &str, mode: &str, fake: &FakeSlack, aws: &Simulator) -> Program {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("rotation-diag.toml");
        let text = format!(
            "default_region = \"eu-west-1\"\n\
             [[allow]]\nplatform = \"slack\"\nworkspace = \"T1\"\nchannels = [\"C1\", \"C3\"]\nusers = {users}\n\
             [store]\npath = \"{}\"\n\
             [http]\nlisten = \"127.0.0.1:0\"\n\
             [slack]\n{mode}\nbot_token = \"env:BOT\"\napi_url = \"{}\"\n",
            folder.path().join("bot.db").display(),
            fake.api_url(),
        );
        std::fs::write(&config, text).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_rotation-diag"))
            .args(["serve", "--config"])
            .arg(&config)
            .env_clear()
            .envs(NO_ACCOUNT)
            .envs([
                ("AWS_REGION", "eu-west-1"),
                ("AWS_ACCESS_KEY_ID", "AKIDSIMULATED"),
                ("AWS_SECRET_ACCESS_KEY", "simulated"),
                ("AWS_ENDPOINT_URL", &aws.endpoint_url()),
                ("BOT", BOT_TOKEN),
                ("APP", APP_TOKEN),
                ("SIGNING", SECRET),
                ("RUST_LOG", "trace"),
            ])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let (tell, address) = std::sync::mpsc::channel();
        let log = std::thread::spawn(move || {
            let mut log = String::new();
            for line in stderr.lines().map_while(Result::ok) {
                if let Some(address) = line.strip_prefix("rotation-diag listens on ") {
                    let _ = tell.send(address.to_owned());
                }
                log.push_str(&line);
                log.push('\n');
            }
            log
        });
        Program { child: Running(child), log, address, _folder: folder }
    }

    /// Waits for it to end by itself; whether it succeeded, and what it logged.
    fn ends(mut self) -> (bool, String) {
        let status = self.child.0.wait().unwrap();
        (status.success(), self.log.join().unwrap())
    }

    /// Ends it as a supervisor does; what it logged.
    fn stop(mut self) -> String {
        let pid = self.child.0.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        let status = self.child.0.wait().unwrap();
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

    /// Waits for what follows a verdict in its thread: its thoughts, which it returns, and the chart.
    async fn thread_is_filled(&self, root: &Posted) -> Vec<Posted> {
        let mut thoughts = Vec::new();
        loop {
            let post = self.next_post().await;
            assert_eq!(post.thread.as_deref(), Some(root.ts.as_str()));
            if read(&post.blocks).starts_with("# Timeline") {
                break;
            }
            thoughts.push(post);
        }
        self.picture_follows(root).await;
        let is_details = |post: &Posted| read(&post.blocks).starts_with("# What the nine steps found");
        assert_eq!(thoughts.iter().filter(|post| is_details(post)).count(), 1);
        thoughts
    }

    async fn chart_follows(&self, root: &Posted) {
        let chart = self.next_post().await;
        assert!(read(&chart.blocks).starts_with("# Timeline"), "{}", read(&chart.blocks));
        self.picture_follows(root).await;
    }

    async fn picture_follows(&self, root: &Posted) {
        let file = self.until("a picture", |world| world.read_file()).await;
        assert_eq!((file.name.as_str(), file.thread.as_deref()), ("prod-orders-db-timeline.png", Some(root.ts.as_str())));
        assert!(file.content.starts_with(b"\x89PNG"));
    }
}

fn account(scenario: &str) -> Simulator {
    let (_, text) = Scenario::embedded().find(|(name, _)| *name == scenario).unwrap();
    Simulator::start(Scenario::parse(text).unwrap(), Clock::system().now()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
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
    // The last word has controls; the first may come before it is known who changed something.
    let verdict = fake.reads(&root, "[Rerun]").await;
    assert!(verdict.edits > 0, "the progress message becomes the verdict");
    insta::assert_snapshot!("flow_verdict", undated(&read(&verdict.blocks)));
    keep_in_the_document(&format!("```text\n{}\n```\n", read(&verdict.blocks)));
    let thoughts = fake.thread_is_filled(&root).await;
    let thread = thoughts.iter().map(|post| undated(&read(&post.blocks))).collect::<Vec<_>>().join("\n\n");
    insta::assert_snapshot!("flow_details", thread);

    // Each button does what it says, and the thread tells who pressed it.
    let mut told = Vec::new();
    for action in ["rerun-4", "widen-7", "evidence-4", "compare", "export", "watch"] {
        assert_eq!(fake.clicks("U1", &root, action).await, None);
        if action == "widen-7" {
            fake.chart_follows(&root).await;
        }
        let answer = fake.next_post().await;
        // Who did it is named by an edit, which calls nobody.
        let answer = if read(&answer.blocks).contains("omeone") { fake.reads(&answer, "@U1").await } else { answer };
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
    assert!(read(&fake.next_post().await.blocks).contains("reran step 5"));

    // A button of a message as it was, one pressed by someone who may not, and one pressed twice.
    let old = fake.click_payload_of("U1", &verdict, &value_of(&verdict.blocks, "widen-7"));
    let old = fake.deliver("interactive", old);
    fake.acknowledged(&old).await;
    assert!(fake.next_whisper().await.to_string().contains("xpired"));
    fake.clicks("U2", &root, "resolve").await;
    assert!(fake.next_whisper().await.to_string().contains("not allowed to do this here"));
    let now = fake.world().message("C1", &root.ts).unwrap().clone();
    let both = ["U1", "U1"]
        .map(|user| fake.deliver("interactive", fake.click_payload_of(user, &now, &value_of(&now.blocks, "resolve"))));
    for envelope in &both {
        fake.acknowledged(envelope).await;
    }
    let note = fake.next_post().await;
    fake.reads(&note, "@U1 resolved this.").await;
    assert!(fake.next_whisper().await["text"].as_str().unwrap().contains("already"));
    insta::assert_snapshot!("flow_resolved", undated(&read(&fake.reads(&root, "resolved by @U1").await.blocks)));

    let log = program.stop();
    let shown = fake.world().everything_shown();
    for secret in ["canaryticket", "canarytrigger", "canaryresponse", "canaryverification", BOT_TOKEN, APP_TOKEN, "AKIDSIMULATED"]
    {
        assert!(!log.contains(secret), "{secret} is in the log:\n{log}");
        assert!(!shown.contains(secret), "{secret} was shown");
    }
    fake.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_calls_the_bot_without_a_word_sees_what_can_be_done_there() {
    let fake = FakeSlack::start().await;
    let aws = account("role_detached_policy");
    let program = Program::start(&fake, &aws);
    fake.sockets_open(1).await;
    let mention = fake.deliver("events_api", fake.mention_payload("U1", "C1", "", None));
    fake.acknowledged(&mention).await;
    insta::assert_snapshot!("hint", read(&fake.next_whisper().await["blocks"]));

    let command = fake.deliver("slash_commands", fake.command_payload("U1", "C1", "prod/orders-db"));
    fake.acknowledged(&command).await;
    let root = fake.next_post().await;
    fake.reads(&root, "is not rotating").await;
    fake.thread_is_filled(&root).await;
    let mention = fake.deliver("events_api", fake.mention_payload("U1", "C1", " ", Some(&root.ts)));
    fake.acknowledged(&mention).await;
    let menu = fake.next_whisper().await;
    assert_eq!((&menu["user"], &menu["channel"], &menu["thread_ts"]), (&json!("U1"), &json!("C1"), &json!(root.ts)));
    insta::assert_snapshot!("menu", read(&menu["blocks"]));

    // Its controls do what those of the verdict do, for whoever may.
    let action = json!({ "type": "button", "action_id": "act-0", "value": value_of(&menu["blocks"], "resolve") });
    for user in ["U2", "U1"] {
        let click = fake.interaction(user, "C1", "1764000000.999999", Some(&root.ts), action.clone());
        let click = fake.deliver("interactive", click);
        fake.acknowledged(&click).await;
    }
    assert!(fake.next_whisper().await.to_string().contains("not allowed to do this here"));
    assert!(read(&fake.next_post().await.blocks).contains("resolved this"));

    // Whoever may not see it learns no more than in any channel.
    let mention = fake.deliver("events_api", fake.mention_payload("U2", "C1", "", Some(&root.ts)));
    fake.acknowledged(&mention).await;
    let told = fake.next_whisper().await.to_string();
    assert!(told.contains("Name the secret") && !told.contains("orders-db is"), "{told}");
    program.stop();
    fake.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_whose_answer_was_lost_is_found_and_not_sent_again() {
    let fake = FakeSlack::start().await;
    let aws = account("role_detached_policy");
    fake.fault("chat.postMessage", Fault::LostAfterwards);
    let program = Program::start(&fake, &aws);
    fake.sockets_open(1).await;
    let command = fake.deliver("slash_commands", fake.command_payload("U1", "C1", "prod/orders-db"));
    fake.acknowledged(&command).await;
    let root = fake.next_post().await;
    fake.reads(&root, "is not rotating").await;
    fake.thread_is_filled(&root).await;
    assert_eq!(fake.calls("conversations.history"), 1);
    program.stop();
    fake.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_asks_in_a_channel_without_the_bot_is_told_to_invite_it() {
    let fake = FakeSlack::start().await;
    let aws = account("healthy");
    let program = Program::start(&fake, &aws);
    fake.sockets_open(1).await;
    let command = fake.deliver("slash_commands", fake.command_payload("U1", "C3", "prod/orders-db"));
    fake.acknowledged(&command).await;
    // At once, and then with the verdict, which cannot be posted either.
    loop {
        let told = read(&fake.next_whisper().await["blocks"]);
        assert!(told.contains("nvite"), "{told}");
        if told.contains("is healthy") {
            break;
        }
    }
    program.stop();
    fake.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_shared_channel_members_get_the_verdict_and_people_of_other_organizations_nothing() {
    let fake = FakeSlack::start().await;
    fake.world().users.insert("UGUEST".to_owned(), json!({ "id": "UGUEST", "team_id": TEAM, "is_ultra_restricted": true }));
    let aws = account("role_detached_policy");
    let program = Program::start_for("[\"*\"]", SOCKET, &fake, &aws);
    fake.sockets_open(1).await;
    let mut payloads = Vec::new();
    for names in [&["user_team"][..], &["source_team", "envelope"], &[]] {
        payloads.push(("events_api", fake.strangers_mention("C1", "prod/orders-db", names)));
    }
    payloads.push(("events_api", fake.mention_payload("UGUEST", "C1", "prod/orders-db", None)));
    let mut command = fake.command_payload(STRANGER, "C1", "prod/orders-db");
    command["team_id"] = json!(OTHER_TEAM);
    payloads.push(("slash_commands", command));
    for (kind, payload) in payloads {
        let envelope = fake.deliver(kind, payload);
        let refusal = match fake.acknowledged(&envelope).await {
            Some(answer) => answer,
            None => fake.next_whisper().await,
        };
        assert!(refusal["text"].as_str().unwrap().contains("not allowed to do this here"), "{refusal}");
    }
    // The names of all secrets are read at the start, whoever asks.
    assert!(aws.calls().iter().all(|call| call.operation == "ListSecrets"), "nothing is asked for a stranger");

    let mention = fake.deliver("events_api", fake.mention_payload("U1", "C1", "prod/orders-db", None));
    fake.acknowledged(&mention).await;
    let root = fake.next_post().await;
    fake.reads(&root, "is not rotating").await;
    fake.thread_is_filled(&root).await;
    let now = fake.world().message("C1", &root.ts).unwrap().clone();
    let mut click = fake.click_payload_of(STRANGER, &now, &value_of(&now.blocks, "rerun"));
    (click["team"]["id"], click["user"]["team_id"]) = (json!(OTHER_TEAM), json!(OTHER_TEAM));
    let click = fake.deliver("interactive", click);
    fake.acknowledged(&click).await;
    assert!(fake.next_whisper().await["text"].as_str().unwrap().contains("not allowed to do this here"));
    let log = program.stop();
    assert!(log.contains("connected to Slack as rotation-diag (UBOT) in the workspace Example (T1), over 1 socket"), "{log}");
    fake.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_revoked_while_it_runs_turns_readiness_away_and_people_are_told_the_truth() {
    let fake = FakeSlack::start().await;
    let aws = account("healthy");
    let program = Program::start_for("[\"*\"]", SOCKET, &fake, &aws);
    let address = program.address.recv_timeout(Duration::from_secs(20)).unwrap();
    fake.sockets_open(1).await;
    rotation_diag::tls::choose();
    let ready = async || reqwest::get(format!("{address}/readyz")).await.unwrap().status().as_u16();
    assert_eq!(ready().await, 200);
    for method in ["users.info", "chat.postMessage", "chat.postEphemeral"] {
        fake.always(method, Fault::Code("token_revoked"));
    }
    for _ in 0..2 {
        let command = fake.deliver("slash_commands", fake.command_payload("U1", "C1", "prod/orders-db"));
        let told = match fake.acknowledged(&command).await {
            Some(answer) => answer,
            None => fake.next_whisper().await,
        };
        let text = told["text"].as_str().unwrap();
        assert!(text.contains("token") && text.contains("nothing was started") && !text.contains("try again"), "{text}");
        assert_eq!(ready().await, 503);
    }
    program.stop();
    fake.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejected_token_ends_the_program_with_a_sentence_that_says_what_to_do() {
    let fake = FakeSlack::start().await;
    let aws = account("healthy");
    fake.fault("auth.test", Fault::Code("invalid_auth"));
    let (is_success, log) = Program::start(&fake, &aws).ends();
    assert!(!is_success);
    assert!(log.contains("Slack ended: Slack does not let the bot in: auth.test: invalid_auth; check the token"), "{log}");
    fake.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn signed_requests_reach_the_program_and_others_do_not() {
    let fake = FakeSlack::start().await;
    let aws = account("role_detached_policy");
    let program = Program::start_as(HTTP, &fake, &aws);
    let address = program.address.recv_timeout(Duration::from_secs(20)).unwrap();
    rotation_diag::tls::choose();
    let client = reqwest::Client::new();
    let post = async |body: String, secret: &str| {
        let timestamp = Clock::system().now().as_second().to_string();
        let request = client.post(format!("{address}/slack/command")).header("content-type", "application/x-www-form-urlencoded");
        let request = request.header("x-slack-signature", signature(secret, &timestamp, body.as_bytes()));
        let answer = request.header("x-slack-request-timestamp", timestamp).body(body).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let command = fake.command_payload("U1", "C1", "prod/orders-db");
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in command.as_object().unwrap() {
        form.append_pair(name, value.as_str().unwrap());
    }
    let form = form.finish();
    assert_eq!(post(form.clone(), "another secret").await, (401, String::new()));
    assert_eq!(post("x".repeat((1 << 20) + 1), SECRET).await.0, 413);
    assert_eq!(post(form.clone(), SECRET).await, (200, String::new()));
    assert_eq!(post(form, SECRET).await, (200, String::new()), "a replay");
    let root = fake.next_post().await;
    fake.reads(&root, "is not rotating").await;
    fake.thread_is_filled(&root).await;
    let log = program.stop();
    assert!(!log.contains("canary") && log.contains("not signed with the signing secret"), "{log}");
    fake.finish();
}

/// Compares the transcript of docs/slack.md with what was shown, by its words, or writes it with `REWRITE_DOCS=1`.
fn keep_in_the_document(transcript: &str) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/slack.md");
    let document = std::fs::read_to_string(path).unwrap();
    let (before, rest) = document.split_once("<!-- slack -->\n").unwrap();
    let (found, after) = rest.split_once("<!-- /slack -->").unwrap();
    if std::env::var_os("REWRITE_DOCS").is_some() {
        std::fs::write(path, format!("{before}<!-- slack -->\n{transcript}<!-- /slack -->{after}")).unwrap();
    } else {
        assert_eq!(undated(found), undated(transcript), "the transcript of docs/slack.md is out of date");
    }
}
