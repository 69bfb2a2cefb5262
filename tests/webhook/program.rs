//! The real program, from a signed alarm over HTTP to what people see in Slack and Discord; killed before it answered.

use crate::bot_world::PATIENCE;
use crate::fake_discord::{APPLICATION, CHANNEL, FakeDiscord, GUILD, TOKEN};
use crate::fake_slack::{BOT_TOKEN, FakeSlack, Posted, SECRET};
use crate::launched::Program;
use crate::sns_signer::{TOPIC, mortal_certificate_host, notification, plain_certificate_host};
use crate::threads::{ORDERS, ago, alarm, as_sns_writes, now};
use rotation_diag::clock::Clock;
use rotation_diag::simulator::{Scenario, Simulator};
use serde_json::{Value, json};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

/// An account in which `prod/orders-db` does not rotate; `faults` are added to it.
fn account(faults: &str) -> Simulator {
    let (_, text) = Scenario::embedded().find(|(name, _)| *name == "role_detached_policy").unwrap();
    Simulator::start(Scenario::parse(&format!("{text}\n{faults}")).unwrap(), Clock::system().now()).unwrap()
}

/// What is the same for every platform.
async fn alarms(platform: &str, workspace: &str, channel: &str) -> String {
    alarms_from(&plain_certificate_host().await, platform, workspace, channel)
}

fn alarms_from(origin: &str, platform: &str, workspace: &str, channel: &str) -> String {
    format!(
        "[accounts.prod]\naccount_id = \"123456789012\"\nregions = [\"eu-west-1\"]\n\
         [alarms.sns]\ntopics = [\"{TOPIC}\"]\ncertificate_origin = \"{origin}\"\n\
         [[alarms.route]]\nplatform = \"{platform}\"\nworkspace = \"{workspace}\"\nchannel = \"{channel}\"\n"
    )
}

async fn in_slack(slack: &FakeSlack) -> (String, [(&'static str, &'static str); 2]) {
    in_slack_from(&plain_certificate_host().await, slack)
}

fn in_slack_from(origin: &str, slack: &FakeSlack) -> (String, [(&'static str, &'static str); 2]) {
    let alarms = alarms_from(origin, "slack", "T1", "C1");
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
    rotation_diag::tls::choose();
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
async fn killed_before_it_answered_it_makes_one_thread_of_what_sns_sends_again() {
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
    let messages = slack_with(&slack, "nine steps found").await;
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
async fn killed_at_any_moment_after_the_last_byte_it_makes_one_thread() {
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
        let messages = slack_with(&slack, "nine steps found").await;
        assert_eq!(roots(&messages).len(), 1, "{moment}");
        program.kill().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn started_again_while_no_certificate_can_be_had_it_takes_what_a_known_one_signed() {
    let (slack, account, folder) = (FakeSlack::start().await, account(""), tempfile::tempdir().unwrap());
    let (origin, host) = mortal_certificate_host().await;
    let (config, tokens) = in_slack_from(&origin, &slack);
    let program = Program::start(folder.path(), &config, &tokens, &account).await;
    assert_eq!(post(&program, &signed(&alarm("first", "ALARM", ago(5), &[ORDERS]))).await, 200);
    program.kill().await;
    host.abort();
    let _ = host.await;
    let program = Program::start(folder.path(), &config, &tokens, &account).await;
    assert_eq!(post(&program, &signed(&alarm("second", "ALARM", ago(4), &[ORDERS]))).await, 200);
    program.kill().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_check_that_says_a_secret_does_not_rotate_opens_a_thread_and_notices_that_only_name_it_open_none() {
    let (slack, account, folder) = (FakeSlack::start().await, account(""), tempfile::tempdir().unwrap());
    let (config, tokens) = in_slack(&slack).await;
    let program = Program::start(folder.path(), &config, &tokens, &account).await;
    let secret = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/orders-db-XtUIZU";
    let stack = "arn:aws:cloudformation:eu-west-1:123456789012:stack/orders/bfa4";
    let sent = |message: &str| notification(&as_sns_writes(now()), message).to_string();
    for notice in [
        format!("StackId='{stack}'\nLogicalResourceId='Orders'\nPhysicalResourceId='{secret}'\nResourceStatus='UPDATE_FAILED'\n"),
        json!({"configurationItem": {"ARN": secret}, "messageType": "ConfigurationItemChangeNotification", "recordVersion": "1.3"}).to_string(),
        format!("Your budget for {secret} is exceeded"),
    ] {
        assert_eq!(post(&program, &sent(&notice)).await, 200);
    }
    let check = json!({
        "awsAccountId": "123456789012", "awsRegion": "eu-west-1", "configRuleName": "secretsmanager-scheduled-rotation-success-check",
        "configRuleARN": "arn:aws:config:eu-west-1:123456789012:config-rule/config-rule-1", "resourceId": secret,
        "resourceType": "AWS::SecretsManager::Secret", "messageType": "ComplianceChangeNotification", "recordVersion": "1.0",
        "newEvaluationResult": {"complianceType": "NON_COMPLIANT", "resultRecordedTime": ago(5).to_string()}
    });
    assert_eq!(post(&program, &sent(&check.to_string())).await, 200);
    let messages = slack_with(&slack, "AWS Config: secretsmanager-scheduled-rotation-success-check of prod/orders-db").await;
    assert_eq!(roots(&messages).len(), 1, "{:#?}", roots(&messages));
    program.kill().await;
}

/// The program with its store on a disk of two megabytes of its own, which is filled from outside; `None` where this system lets
/// nobody have a mount of their own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_turns_readiness_to_503_and_room_turns_it_back() {
    let may = std::process::Command::new("unshare").args(["-rm", "true"]).stderr(Stdio::null()).status();
    if !may.is_ok_and(|status| status.success()) {
        eprintln!("no mount of its own can be had here: not tried");
        return;
    }
    let (slack, account, folder) = (FakeSlack::start().await, account(""), tempfile::tempdir().unwrap());
    let disk = folder.path().join("disk");
    std::fs::create_dir(&disk).unwrap();
    let (config, tokens) = in_slack(&slack).await;
    let path = folder.path().join("config.toml");
    let places = format!("[http]\nlisten = \"127.0.0.1:0\"\n[store]\npath = \"{}\"\n", disk.join("store.db").display());
    std::fs::write(&path, format!("default_region = \"eu-west-1\"\n{places}{config}")).unwrap();
    let mut child = tokio::process::Command::new("unshare")
        .args(["-rm", "sh", "-c", "mount -t tmpfs -o size=2m tmpfs \"$1\" && exec \"$2\" serve --config \"$3\"", "sh"])
        .args([disk.as_os_str(), env!("CARGO_BIN_EXE_rotation-diag").as_ref(), path.as_os_str()])
        .envs(tokens)
        .env("AWS_ENDPOINT_URL", account.endpoint_url())
        .envs([("AWS_ACCESS_KEY_ID", "AKIDSIMULATED"), ("AWS_SECRET_ACCESS_KEY", "simulated")])
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let address = tokio::time::timeout(PATIENCE, async {
        loop {
            let line = lines.next_line().await.unwrap().expect("it listens");
            if let Some((_, address)) = line.split_once("listens on http://") {
                return address.to_owned();
            }
        }
    });
    let address = address.await.unwrap();
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    let becomes = async |expected: u16| {
        let mut look = tokio::time::interval(Duration::from_millis(100));
        let seen = tokio::time::timeout(PATIENCE, async {
            loop {
                look.tick().await;
                rotation_diag::tls::choose();
                let answer = reqwest::get(format!("http://{address}/readyz")).await.unwrap();
                if answer.status().as_u16() == expected {
                    return;
                }
            }
        });
        assert!(seen.await.is_ok(), "it never answered {expected}");
    };
    becomes(200).await;
    // The disk as the program sees it.
    let inside = format!("/proc/{}/root{}/filler", child.id().unwrap(), disk.display());
    let filled = std::fs::write(&inside, vec![0; 4 << 20]);
    assert!(filled.is_err(), "the disk took more than it has");
    becomes(503).await;
    std::fs::remove_file(&inside).unwrap();
    becomes(200).await;
    child.kill().await.unwrap();
}
