//! The real program, from a signed alarm over HTTP to what people see in Slack and Discord; killed before it answered.

use crate::bot_world::PATIENCE;
use crate::fake_discord::{APPLICATION, CHANNEL, FakeDiscord, GUILD, TOKEN};
use crate::fake_slack::{BOT_TOKEN, FakeSlack, Posted, SECRET};
use crate::launched::Program;
use crate::sns_signer::{TOPIC, notification, plain_certificate_host};
use crate::threads::{ORDERS, ago, alarm, as_sns_writes, now};
use rotation_diag::clock::Clock;
use rotation_diag::simulator::{Scenario, Simulator};
use serde_json::Value;
use std::time::Duration;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

/// An account in which `prod/orders-db` does not rotate; `faults` are added to it.
fn account(faults: &str) -> Simulator {
    let (_, text) = Scenario::embedded().find(|(name, _)| *name == "role_detached_policy").unwrap();
    Simulator::start(Scenario::parse(&format!("{text}\n{faults}")).unwrap(), Clock::system().now()).unwrap()
}

/// What is the same for every platform.
async fn alarms(platform: &str, workspace: &str, channel: &str) -> String {
    format!(
        "[accounts.prod]\naccount_id = \"123456789012\"\nregions = [\"eu-west-1\"]\n\
         [alarms.sns]\ntopics = [\"{TOPIC}\"]\ncertificate_origin = \"{}\"\n\
         [[alarms.route]]\nplatform = \"{platform}\"\nworkspace = \"{workspace}\"\nchannel = \"{channel}\"\n",
        plain_certificate_host().await
    )
}

async fn in_slack(slack: &FakeSlack) -> (String, [(&'static str, &'static str); 2]) {
    let alarms = alarms("slack", "T1", "C1").await;
    let slack = format!(
        "[slack]\nmode = \"http\"\nbot_token = \"env:BOT\"\nsigning_secret = \"env:SECRET\"\napi_url = \"{}\"\n",
        slack.api_url()
    );
    (format!("{alarms}{slack}"), [("BOT", BOT_TOKEN), ("SECRET", SECRET)])
}

/// A metric filter's alarm about the failed rotations of five hours ago: it names neither secret nor function.
fn nameless() -> String {
    signed(&alarm("rotation-failed", "ALARM", ago(5 * 60), &[]))
}

fn signed(alarm: &Value) -> String {
    notification(&as_sns_writes(now()), &alarm.to_string()).to_string()
}

async fn post(program: &Program, body: &str) -> u16 {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = client.post(format!("http://{}/sns", program.address)).header("content-type", "text/plain; charset=UTF-8");
    let answer = request.header("x-amz-sns-message-type", "Notification").body(body.to_owned()).send().await.unwrap();
    answer.status().as_u16()
}

/// The messages of `C1`, once there are the verdict and `told`.
async fn slack_with(slack: &FakeSlack, told: &str) -> Vec<Posted> {
    slack
        .until(told, |world| {
            let messages = &world.channels["C1"].messages;
            let has = |words: &str| messages.iter().any(|message| message.text.contains(words));
            (has("is not rotating") && has(told)).then(|| messages.clone())
        })
        .await
}

fn roots(messages: &[Posted]) -> Vec<&Posted> {
    messages.iter().filter(|message| message.thread.is_none()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signed_alarm_becomes_a_thread_in_slack_with_the_root_cause() {
    let (slack, account, folder) = (FakeSlack::start().await, account(""), tempfile::tempdir().unwrap());
    let (config, tokens) = in_slack(&slack).await;
    let program = Program::start(folder.path(), &config, &tokens, &account).await;
    assert_eq!(post(&program, &nameless()).await, 200);
    let messages = slack_with(&slack, "Alarm rotation-failed went to ALARM").await;
    let roots = roots(&messages);
    assert_eq!(roots.len(), 1, "{roots:#?}");
    let verdict = &roots[0].text;
    assert!(verdict.contains("prod/orders-db is not rotating") && verdict.contains("role"), "{verdict}");
    let about = messages.iter().find(|message| message.text.contains("went to ALARM")).unwrap();
    assert_eq!(about.thread.as_ref(), Some(&roots[0].ts));
    // Forged, it changes nothing.
    let forged = nameless().replace("rotation-failed", "rotation-forged");
    assert_eq!(post(&program, &forged).await, 403);
    assert!(slack.world().problems.is_empty(), "{:?}", slack.world().problems);
    assert!(account.violations().is_empty(), "{:?}", account.violations());
    program.kill().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signed_alarm_becomes_a_thread_in_discord_with_the_root_cause() {
    let (discord, account, folder) = (FakeDiscord::start().await, account(""), tempfile::tempdir().unwrap());
    let config = format!(
        "{}[discord]\nbot_token = \"env:TOKEN\"\napplication_id = \"{APPLICATION}\"\nguilds = [\"{GUILD}\"]\napi_url = \"{}\"\n",
        alarms("discord", &GUILD.to_string(), &CHANNEL.to_string()).await,
        discord.api()
    );
    let program = Program::start(folder.path(), &config, &[("TOKEN", TOKEN)], &account).await;
    assert_eq!(post(&program, &nameless()).await, 200);
    let (root, verdict) = discord
        .wait_for(|world| {
            let messages = world.channels[&CHANNEL].messages.iter();
            let mut verdicts = messages.filter(|(_, message)| message.to_string().contains("prod/orders-db is not rotating"));
            verdicts.next().map(|(id, message)| (*id, message.to_string()))
        })
        .await;
    assert!(verdict.contains("role"), "{verdict}");
    discord
        .wait_for(|world| {
            let replies = world.channels.get(&root)?.messages.values();
            replies.map(ToString::to_string).find(|reply| reply.contains("rotation-failed went to ALARM"))
        })
        .await;
    discord.with(|world| {
        assert_eq!(world.violations, Vec::<String>::new());
        assert_eq!(world.channels[&CHANNEL].messages.len(), 1, "two messages in the channel");
    });
    assert!(account.violations().is_empty(), "{:?}", account.violations());
    program.kill().await;
}

/// The alarm is stored, and whoever sent it never learns: the answer is not there when the process dies.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn j01_killed_before_it_answered_it_makes_one_thread_of_what_sns_sends_again() {
    let slack = FakeSlack::start().await;
    let folder = tempfile::tempdir().unwrap();
    let (config, tokens) = in_slack(&slack).await;
    let held = account("[[fault]]\noperation = \"*\"\nhang = true\n");
    let program = Program::start(folder.path(), &config, &tokens, &held).await;
    let body = signed(&alarm("orders", "ALARM", ago(5), &[ORDERS]));
    // SNS as it is when its connection is gone: it wrote, and read nothing.
    let mut sns = TcpStream::connect(&program.address).await.unwrap();
    let head = format!("POST /sns HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", body.len());
    sns.write_all(head.as_bytes()).await.unwrap();
    sns.write_all(body.as_bytes()).await.unwrap();
    // Work on it begins only once it is stored.
    let work = async {
        let mut look = tokio::time::interval(Duration::from_millis(5));
        while held.calls().is_empty() {
            look.tick().await;
        }
    };
    tokio::time::timeout(PATIENCE, work).await.expect("work begins");
    program.kill().await;
    drop(sns);

    let account = account("");
    let program = Program::start(folder.path(), &config, &tokens, &account).await;
    for _ in 0..3 {
        assert_eq!(post(&program, &body).await, 200);
    }
    let messages = slack_with(&slack, "nine steps saw").await;
    assert_eq!(roots(&messages).len(), 1);
    // Whatever was accepted twice would have had its turn before what comes now.
    let other = signed(&alarm("last", "ALARM", ago(3), &[("SecretId", "prod/none")]));
    assert_eq!(post(&program, &other).await, 200);
    let messages = slack_with(&slack, "Alarm last went to ALARM").await;
    assert_eq!(roots(&messages).len(), 2);
    assert!(messages.iter().all(|message| !message.text.contains("times")), "it was counted twice");
    program.kill().await;
}

/// Killed at whatever moment between the first byte and the answer, nothing is lost once SNS sends it again, nor told twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn j01_killed_at_any_moment_after_the_last_byte_it_makes_one_thread() {
    for moment in 0..4 {
        let slack = FakeSlack::start().await;
        let (account, folder) = (account(""), tempfile::tempdir().unwrap());
        let (config, tokens) = in_slack(&slack).await;
        let program = Program::start(folder.path(), &config, &tokens, &account).await;
        let body = signed(&alarm("orders", "ALARM", ago(5), &[ORDERS]));
        let mut sns = TcpStream::connect(&program.address).await.unwrap();
        let head = format!("POST /sns HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", body.len());
        sns.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
        let mut pause = tokio::time::interval(Duration::from_millis(3));
        for _ in 0..=moment {
            pause.tick().await;
        }
        program.kill().await;

        let program = Program::start(folder.path(), &config, &tokens, &account).await;
        assert_eq!(post(&program, &body).await, 200);
        let messages = slack_with(&slack, "nine steps saw").await;
        assert_eq!(roots(&messages).len(), 1, "{moment}");
        program.kill().await;
    }
}
