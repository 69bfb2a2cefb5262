//! The real program is killed at chosen moments and started again on the same store. The moments are those
//! at which the simulated AWS or the fake Slack holds a request; what counts is what Slack has in the end.

use super::fake_slack::{BOT_TOKEN, FakeSlack, Fault, Posted, SECRET, signature};
use super::world::PATIENCE;
use rotation_diag::clock::Clock;
use rotation_diag::simulator::{Scenario, Simulator};
use std::fmt::Write as _;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

/// The simulated account; `faults` are added to the scenario.
pub(super) fn account(faults: &str) -> Simulator {
    let (_, text) = Scenario::embedded().find(|(name, _)| *name == "role_detached_policy").unwrap();
    let scenario = Scenario::parse(&format!("{text}\n{faults}")).unwrap();
    Simulator::start(scenario, Clock::system().now()).unwrap()
}

pub(super) fn hanging(operation: &str) -> Simulator {
    account(&format!("[[fault]]\noperation = \"{operation}\"\nhang = true\n"))
}

/// Waits until `is_so`.
pub(super) async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let waiting = async {
        let mut look = tokio::time::interval(Duration::from_millis(20));
        while !is_so() {
            look.tick().await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, waiting).await.is_ok(), "never: {what}");
}

/// The program, serving.
pub(super) struct Bot {
    child: Child,
    address: String,
    lines: tokio::sync::mpsc::UnboundedReceiver<String>,
}

impl Bot {
    async fn start(folder: &Path, slack: &FakeSlack, aws: &Simulator) -> Bot {
        let store = format!("path = \"{}\"", folder.join("store.db").display());
        Bot::start_on(&store, folder, slack, aws).await
    }

    /// The same with these lines about the store.
    pub(super) async fn start_on(store: &str, folder: &Path, slack: &FakeSlack, aws: &Simulator) -> Bot {
        let config = folder.join("config.toml");
        let text = format!(
            "default_region = \"eu-west-1\"\n[http]\nlisten = \"127.0.0.1:0\"\n[store]\n{store}\n\
             [work]\ndrain_seconds = 1\n\
             [slack]\nmode = \"http\"\nbot_token = \"env:BOT\"\nsigning_secret = \"env:SECRET\"\napi_url = \"{}\"\n\
             [[allow]]\nplatform = \"slack\"\nworkspace = \"T1\"\nchannels = [\"C1\"]\nusers = [\"U1\"]\n",
            slack.api_url()
        );
        std::fs::write(&config, text).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_rotation-diag"))
            .args(["serve", "--config"])
            .arg(&config)
            .env_clear()
            .env("BOT", BOT_TOKEN)
            .env("SECRET", SECRET)
            .env("HOME", folder)
            .env("AWS_ACCESS_KEY_ID", "AKIDSIMULATED")
            .env("AWS_SECRET_ACCESS_KEY", "simulated")
            .env("AWS_ENDPOINT_URL", aws.endpoint_url())
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap()).lines();
        let (send, lines) = tokio::sync::mpsc::unbounded_channel();
        let (found, address) = tokio::sync::oneshot::channel();
        tokio::spawn(async move {
            let mut found = Some(found);
            while let Ok(Some(line)) = stderr.next_line().await {
                if let (Some(found), Some((_, url))) =
                    (found.take_if(|_| line.contains("listens on")), line.split_once("http://"))
                {
                    let _ = found.send(url.to_owned());
                }
                let _ = send.send(line);
            }
        });
        let address = tokio::time::timeout(PATIENCE, address).await.unwrap().expect("the program listens");
        Bot { child, address, lines }
    }

    /// Sends the slash command, and waits for the answer where there is one.
    pub(super) async fn send(&self, body: &str) -> reqwest::Result<u16> {
        let timestamp = Clock::system().now().as_second().to_string();
        rotation_diag::tls::choose();
        let answer = reqwest::Client::new()
            .post(format!("http://{}/slack/command", self.address))
            .header("content-type", "application/x-www-form-urlencoded")
            .header("x-slack-request-timestamp", &timestamp)
            .header("x-slack-signature", signature(SECRET, &timestamp, body.as_bytes()))
            .timeout(Duration::from_secs(20))
            .body(body.to_owned())
            .send()
            .await?;
        Ok(answer.status().as_u16())
    }

    /// Whether it would answer a command, in its own words.
    pub(super) async fn readiness(&self) -> (u16, String) {
        rotation_diag::tls::choose();
        let answer = reqwest::get(format!("http://{}/readyz", self.address)).await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    /// SIGKILL.
    pub(super) async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    /// SIGTERM.
    pub(super) fn terminate(&self) {
        let pid = self.child.id().unwrap().to_string();
        assert!(std::process::Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    }

    pub(super) async fn ended(mut self) -> (Option<i32>, Vec<String>) {
        let status = tokio::time::timeout(PATIENCE, self.child.wait()).await.unwrap().unwrap();
        let mut lines = Vec::new();
        while let Some(line) = self.lines.recv().await {
            lines.push(line);
        }
        (status.code(), lines)
    }
}

/// The body of `/rotation-diag prod/orders-db` by U1 in C1.
pub(super) fn command(slack: &FakeSlack) -> String {
    asking(slack, "prod/orders-db")
}

/// The body of `/rotation-diag` with these words by U1 in C1.
pub(super) fn asking(slack: &FakeSlack, words: &str) -> String {
    let payload = slack.command_payload("U1", "C1", words);
    let mut body = String::new();
    for (name, value) in payload.as_object().unwrap() {
        let value: String = url::form_urlencoded::byte_serialize(value.as_str().unwrap().as_bytes()).collect();
        let _ = write!(body, "{name}={value}&");
    }
    body
}

/// The bot's messages; files come by messages of their own.
pub(super) fn posts(slack: &FakeSlack) -> Vec<Posted> {
    slack.world().channels["C1"].messages.iter().filter(|post| post.files.is_empty()).cloned().collect()
}

/// True when the thread says everything: the verdict, the details, the timeline.
pub(super) fn is_told(slack: &FakeSlack) -> bool {
    let posts = posts(slack);
    let verdict = posts.iter().any(|post| post.thread.is_none() && post.text.contains("is not rotating"));
    let has = |words: &str| posts.iter().any(|post| post.text.contains(words));
    verdict && has("nine steps found") && has("Timeline")
}

/// One thread in which nothing stands twice.
pub(super) fn assert_once(slack: &FakeSlack, moment: &str) {
    let posts = posts(slack);
    let mut texts: Vec<&str> = posts.iter().map(|post| post.text.as_str()).collect();
    texts.sort_unstable();
    let count = texts.len();
    texts.dedup();
    assert_eq!(texts.len(), count, "{moment}: twice in {texts:#?}");
    assert_eq!(posts.iter().filter(|post| post.thread.is_none()).count(), 1, "{moment}: {texts:#?}");
}

/// Starts again where nothing fails, and waits until everything is told.
async fn start_again(folder: &Path, slack: &FakeSlack, moment: &str) {
    let account = account("");
    let bot = Bot::start(folder, slack, &account).await;
    until(moment, || is_told(slack)).await;
    assert_once(slack, moment);
    bot.kill().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_in_any_step_it_starts_over_and_tells_once() {
    let operations = [
        "secretsmanager:DescribeSecret",
        "lambda:GetFunctionConfiguration",
        "logs:FilterLogEvents",
        "iam:SimulatePrincipalPolicy",
        "cloudwatch:GetMetricData",
    ];
    for held in operations {
        let folder = tempfile::tempdir().unwrap();
        let slack = FakeSlack::start().await;
        let account = hanging(held);
        let bot = Bot::start(folder.path(), &slack, &account).await;
        assert_eq!(bot.send(&command(&slack)).await.unwrap(), 200);
        let (_, operation) = held.split_once(':').unwrap();
        until(held, || account.calls().iter().any(|call| call.operation == operation)).await;
        bot.kill().await;
        assert!(!is_told(&slack), "{held}: told before it was held");
        start_again(folder.path(), &slack, held).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_whose_acknowledgement_was_lost_is_sent_again_and_becomes_one_thread() {
    let folder = tempfile::tempdir().unwrap();
    let slack = FakeSlack::start().await;
    let account = hanging("*");
    let bot = Bot::start(folder.path(), &slack, &account).await;
    let body = command(&slack);
    // The sender never reads the answer: what it knows is that it got none.
    let sent = tokio::time::timeout(PATIENCE, async {
        tokio::select! {
            _ = bot.send(&body) => {}
            () = until("work begins", || !account.calls().is_empty()) => {}
        }
    });
    sent.await.unwrap();
    until("work begins", || !account.calls().is_empty()).await;
    bot.kill().await;

    let account = self::account("");
    let bot = Bot::start(folder.path(), &slack, &account).await;
    assert_eq!(bot.send(&body).await.unwrap(), 200);
    until("everything", || is_told(&slack)).await;
    assert_once(&slack, "after the second delivery");
    bot.kill().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_while_a_message_is_on_its_way_it_posts_none_twice_and_loses_none() {
    // Which message is held, and whether Slack had taken it: the root; the details of the verdict.
    let moments: [(usize, Fault); 4] =
        [(0, Fault::Hang), (0, Fault::HangAfterwards), (1, Fault::Hang), (1, Fault::HangAfterwards)];
    for (nth, fault) in moments {
        let moment = format!("message {nth}, {fault:?}");
        let folder = tempfile::tempdir().unwrap();
        let slack = FakeSlack::start().await;
        let account = account("");
        let bot = Bot::start(folder.path(), &slack, &account).await;
        if nth == 0 {
            slack.fault("chat.postMessage", fault.clone());
        }
        assert_eq!(bot.send(&command(&slack)).await.unwrap(), 200);
        if nth == 1 {
            until("the root", || slack.calls("chat.postMessage") == 1).await;
            slack.fault("chat.postMessage", fault);
        }
        until("the held one", || slack.calls("chat.postMessage") == nth + 1 && slack.world().faults.is_empty()).await;
        bot.kill().await;
        start_again(folder.path(), &slack, &moment).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_after_everything_was_told_it_tells_nothing_again() {
    let folder = tempfile::tempdir().unwrap();
    let slack = FakeSlack::start().await;
    let account = account("");
    let bot = Bot::start(folder.path(), &slack, &account).await;
    assert_eq!(bot.send(&command(&slack)).await.unwrap(), 200);
    until("everything", || is_told(&slack)).await;
    bot.kill().await;
    let told = posts(&slack).len();
    let bot = Bot::start(folder.path(), &slack, &account).await;
    // Another command shows that the first had its chance.
    assert_eq!(bot.send(&command(&slack)).await.unwrap(), 200);
    until("the second thread", || posts(&slack).iter().filter(|post| post.thread.is_none()).count() == 2).await;
    until("its replies", || posts(&slack).len() >= 2 * told).await;
    let first = posts(&slack)[0].ts.clone();
    assert_eq!(posts(&slack).iter().filter(|post| post.thread.as_ref() == Some(&first)).count(), told - 1);
    bot.kill().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signal_closes_the_intake_and_leaves_the_rest_to_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let slack = FakeSlack::start().await;
    let account = hanging("*");
    let bot = Bot::start(folder.path(), &slack, &account).await;
    assert_eq!(bot.send(&command(&slack)).await.unwrap(), 200);
    until("work begins", || !account.calls().is_empty()).await;
    bot.terminate();
    let late = async {
        let mut look = tokio::time::interval(Duration::from_millis(20));
        loop {
            look.tick().await;
            // Closed, or gone already.
            match bot.send(&command(&slack)).await {
                Ok(200) => {}
                Ok(status) => return Some(status),
                Err(_) => return None,
            }
        }
    };
    let closed = tokio::time::timeout(PATIENCE, late).await.unwrap();
    assert!(matches!(closed, Some(503) | None), "{closed:?}");
    let (status, lines) = bot.ended().await;
    assert_eq!(status, Some(0), "{lines:#?}");
    start_again_allowing_more(folder.path(), &slack).await;
}

/// As [`start_again`], where more commands than one may have been accepted before the intake closed.
async fn start_again_allowing_more(folder: &Path, slack: &FakeSlack) {
    let account = account("");
    let bot = Bot::start(folder, slack, &account).await;
    until("the resumed one", || is_told(slack)).await;
    bot.kill().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_signal_ends_it_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let slack = FakeSlack::start().await;
    let account = hanging("*");
    let bot = Bot::start(folder.path(), &slack, &account).await;
    assert_eq!(bot.send(&command(&slack)).await.unwrap(), 200);
    until("work begins", || !account.calls().is_empty()).await;
    bot.terminate();
    bot.terminate();
    let (status, lines) = bot.ended().await;
    assert!(status == Some(1) || status == Some(0), "{status:?} {lines:#?}");
    start_again(folder.path(), &slack, "after two signals").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_of_restarts_loses_nothing_and_posts_nothing_twice() {
    let folder = tempfile::tempdir().unwrap();
    let slack = FakeSlack::start().await;
    let account = account("");
    let questions = ["24h", "7d", "30d", "90d"].map(|window| [format!("prod/orders-db window:{window}")]);
    let asked = questions.as_flattened().len();
    for (storm, questions) in questions.iter().enumerate() {
        let bot = Bot::start(folder.path(), &slack, &account).await;
        for words in questions {
            assert_eq!(bot.send(&asking(&slack, words)).await.unwrap(), 200);
        }
        // Each time a little further on.
        let (calls, messages) = (account.calls().len(), slack.calls("chat.postMessage"));
        let far = || account.calls().len() >= calls + 5 * storm || slack.calls("chat.postMessage") > messages + storm;
        until(&format!("it went on after restart {storm}"), far).await;
        bot.kill().await;
    }
    let bot = Bot::start(folder.path(), &slack, &account).await;
    let with = |words: &str| posts(&slack).iter().filter(|post| post.text.contains(words)).count();
    until("every thread has its details and its timeline", || with("nine steps found") >= asked && with("Timeline") >= asked)
        .await;
    until("every thread has its verdict", || {
        posts(&slack).iter().filter(|post| post.thread.is_none() && post.text.contains("is not rotating")).count() >= asked
    })
    .await;
    bot.terminate();
    bot.ended().await;
    let mut replies: Vec<(Option<String>, String)> = posts(&slack).into_iter().map(|post| (post.thread, post.text)).collect();
    let roots = replies.iter().filter(|(thread, _)| thread.is_none()).count();
    assert_eq!(roots, asked, "{replies:#?}");
    replies.retain(|(thread, _)| thread.is_some());
    let count = replies.len();
    replies.sort();
    replies.dedup();
    assert_eq!(replies.len(), count, "{replies:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_two_dozen_times_while_it_works_it_tells_the_verdict_in_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let slack = FakeSlack::start().await;
    let account = hanging("*");
    for killed in 0..24 {
        let before = account.calls().len();
        let bot = Bot::start(folder.path(), &slack, &account).await;
        if killed == 0 {
            assert_eq!(bot.send(&command(&slack)).await.unwrap(), 200);
        }
        until(&format!("it is begun again after {killed} ends"), || account.calls().len() > before).await;
        bot.kill().await;
    }
    start_again(folder.path(), &slack, "after two dozen kills").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_process_on_the_same_store_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let slack = FakeSlack::start().await;
    let account = account("");
    let bot = Bot::start(folder.path(), &slack, &account).await;
    let second = std::process::Command::new(env!("CARGO_BIN_EXE_rotation-diag"))
        .args(["serve", "--config"])
        .arg(folder.path().join("config.toml"))
        .env("BOT", BOT_TOKEN)
        .env("SECRET", SECRET)
        .output()
        .unwrap();
    let told = String::from_utf8(second.stderr).unwrap();
    assert_eq!(second.status.code(), Some(1), "{told}");
    assert!(told.contains("is in use by another process: stop that one first"), "{told}");
    bot.kill().await;
}
