//! The chapter on alarms, in its order: the bot runs before there is a topic, because SNS asks once.

use crate::chats::{SLACK_TOKENS, in_slack, slack_config};
use crate::documents::{ALARMS, commands, file, toml};
use crate::fake_aws::{FakeAws, TOKEN, Topic};
use crate::fake_slack::FakeSlack;
use crate::launched::Program;
use crate::sns_signer::{confirmation, notification, plain_certificate_host, signed};
use crate::workplace::Workplace;
use rotation_diag::clock::Clock;
use serde_json::{Value, json};

const SERVE: &str = "rotation-diag serve --config rotation-diag.toml";

/// The value of `Name=value` or `--name value` in a command.
fn value<'a>(command: &'a str, name: &str) -> &'a str {
    let start = if name.starts_with("--") { format!("{name} ") } else { format!("{name}=") };
    let (_, rest) = command.split_once(&start).unwrap_or_else(|| panic!("{name} is not in {command}"));
    rest.split(' ').next().unwrap()
}

fn now() -> String {
    Clock::system().now().strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string()
}

async fn post(program: &Program, body: &Value) -> u16 {
    rotation_diag::tls::choose();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = client.post(format!("http://{}/sns", program.address)).header("content-type", "text/plain; charset=UTF-8");
    let kind = body["Type"].as_str().unwrap();
    let answer = request.header("x-amz-sns-message-type", kind).body(body.to_string()).send().await.unwrap();
    answer.status().as_u16()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_documented_order_ends_with_a_confirmed_subscription_and_a_thread() {
    let (slack, aws) = (FakeSlack::start().await, FakeAws::start("").await);
    let mut workplace = Workplace::new(&aws);
    for (name, token) in SLACK_TOKENS {
        workplace.set(name, token);
    }
    let [reader, deploy, publish] = commands(ALARMS).try_into().unwrap();
    let chapter = toml(ALARMS);
    let written: toml::Table = chapter.parse().unwrap();
    // The three know the same names before any of them is there.
    let topic = written["alarms"]["sns"]["topics"][0].as_str().unwrap();
    let endpoint = value(&deploy, "Endpoint");
    assert_eq!(topic.rsplit(':').next(), Some(value(&deploy, "TopicName")));
    assert_eq!(topic.split(':').nth(3), Some(value(&deploy, "--region")));
    assert_eq!(Some(endpoint), written["alarms"]["sns"]["endpoint"].as_str());
    assert_eq!(written["accounts"]["prod"]["external_id"].as_str(), Some(value(&reader, "ExternalId")));
    assert_eq!(written["accounts"]["prod"]["regions"][0].as_str(), Some(value(&deploy, "--region")));
    let role = file(value(&reader, "--template-file"))
        .lines()
        .find_map(|line| line.trim().strip_prefix("RoleName: ").map(str::to_owned));
    assert!(written["accounts"]["prod"]["role_arn"].as_str().unwrap().ends_with(&format!(":role/{}", role.unwrap())));
    assert_eq!(value(&publish, "--topic-arn"), topic);

    let fakes = [
        ("[slack]", format!("api_url = \"{}\"", slack.api_url())),
        ("[alarms.sns]", format!("certificate_origin = \"{}\"", plain_certificate_host().await)),
    ];
    workplace.write(&format!("{}\n{}", slack_config(), in_slack(&chapter)), &fakes);
    workplace.check().await.misses(&["there is no such topic: deploy deploy/alarms.yaml"]);

    let program = workplace.start(SERVE).await;
    aws.deploy(Topic::deployed(topic, endpoint));
    let waiting = workplace.check().await;
    waiting.misses(&["waits for its confirmation"]);
    let again =
        format!("aws sns subscribe --region eu-west-1 --topic-arn {topic} --protocol https --notification-endpoint {endpoint}");
    assert!(waiting.lines("✗")[0].ends_with(&again), "{}", waiting.text);

    let mut asked = confirmation("SubscriptionConfirmation", &now());
    (asked["TopicArn"], asked["Token"]) = (json!(topic), json!(TOKEN));
    assert_eq!(post(&program, &signed(asked)).await, 200);
    let ready = workplace.check().await;
    ready.has(&format!("the subscription of {endpoint} is confirmed")).is_healthy();

    let mut published = notification(&now(), value(&publish, "--message"));
    published["TopicArn"] = json!(topic);
    published.as_object_mut().unwrap().remove("Subject");
    assert_eq!(post(&program, &signed(published)).await, 200);
    slack
        .until("the thread of the alarm", |world| {
            world.channels["C1"].messages.iter().any(|post| post.text.contains("prod/orders-db is not rotating")).then_some(())
        })
        .await;
    program.kill().await;
}
