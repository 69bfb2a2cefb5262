//! What is asked of AWS about alarms, over the wire: tags, the alarms of a composite one, lost alarms, confirmations.

use crate::sns_signer::TOPIC;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use ciborium::Value;
use jiff::Timestamp;
use rotation_diag::alarm::{ResolvedBy, by_asking, look};
use rotation_diag::aws::{Aws, AwsOptions, Registry};
use rotation_diag::clock::Clock;
use rotation_diag::config::Config;
use rotation_diag::model::{Alarm, AlarmSource, AlarmState, Observation, OkBasis};
use rotation_diag::simulator::{Scenario, Simulator};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// CloudWatch's alarms and SNS in front of the simulated account, which has neither.
#[derive(Clone)]
struct Front {
    simulator: String,
    answers: Arc<BTreeMap<&'static str, (u16, Vec<u8>)>>,
    asked: Arc<Mutex<Vec<String>>>,
}

async fn answer(State(front): State<Front>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let form = String::from_utf8_lossy(&body).into_owned();
    let operation = match uri.path().rsplit_once("/operation/") {
        Some((_, operation)) => operation.to_owned(),
        None if form.contains("Action=ConfirmSubscription") => {
            front.asked.lock().unwrap().push(form);
            let xml = "<ConfirmSubscriptionResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><ConfirmSubscriptionResult>\
                       <SubscriptionArn>arn:aws:sns:eu-west-1:123456789012:alarms:1</SubscriptionArn>\
                       </ConfirmSubscriptionResult></ConfirmSubscriptionResponse>";
            return ([("content-type", "text/xml")], xml).into_response();
        }
        None => String::new(),
    };
    if let Some((status, body)) = front.answers.get(operation.as_str()) {
        front.asked.lock().unwrap().push(operation);
        let headers = [("content-type", "application/cbor"), ("smithy-protocol", "rpc-v2-cbor")];
        return (StatusCode::from_u16(*status).unwrap(), headers, body.clone()).into_response();
    }
    let path = uri.path_and_query().map(ToString::to_string).unwrap_or_default();
    let mut request = reqwest::Client::new().post(format!("{}{path}", front.simulator)).body(body);
    for name in ["authorization", "x-amz-target", "content-type", "x-amz-date"] {
        if let Some(value) = headers.get(name) {
            request = request.header(name, value);
        }
    }
    let answer = request.send().await.unwrap();
    let status = answer.status();
    let kind = answer.headers().get("content-type").cloned();
    let mut response = (status, answer.bytes().await.unwrap()).into_response();
    if let Some(kind) = kind {
        response.headers_mut().insert("content-type", kind);
    }
    response
}

struct Account {
    aws: Aws,
    asked: Arc<Mutex<Vec<String>>>,
    _simulator: Simulator,
}

async fn account(scenario: &str, answers: Vec<(&'static str, u16, Value)>) -> Account {
    account_with(scenario, "", answers).await
}

/// The same, with what `extra` adds to the scenario.
async fn account_with(scenario: &str, extra: &str, answers: Vec<(&'static str, u16, Value)>) -> Account {
    rotation_diag::tls::choose();
    let (_, text) = Scenario::embedded().find(|(known, _)| *known == scenario).unwrap();
    let scenario = Scenario::parse(&format!("{text}\n{extra}")).unwrap();
    let simulator = Simulator::start(scenario, Clock::system().now()).unwrap();
    let asked = Arc::<Mutex<Vec<String>>>::default();
    let answers = answers.into_iter().map(|(operation, status, value)| {
        let mut body = Vec::new();
        ciborium::into_writer(&value, &mut body).unwrap();
        (operation, (status, body))
    });
    let front = Front { simulator: simulator.endpoint_url(), answers: Arc::new(answers.collect()), asked: Arc::clone(&asked) };
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer).with_state(front)).await });
    let options = AwsOptions::simulated("eu-west-1".parse().unwrap(), endpoint);
    Account { aws: Aws::connect(&options, &Registry::default()).await.unwrap(), asked, _simulator: simulator }
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn map(pairs: Vec<(&str, Value)>) -> Value {
    Value::Map(pairs.into_iter().map(|(name, value)| (text(name), value)).collect())
}

fn tags(pairs: &[(&str, &str)]) -> Value {
    let tags = pairs.iter().map(|(key, value)| map(vec![("Key", text(key)), ("Value", text(value))]));
    map(vec![("Tags", Value::Array(tags.collect()))])
}

fn metric_alarm(name: &str, notifies: &str, dimensions: &[(&str, &str)]) -> Value {
    let dimensions = dimensions.iter().map(|(name, value)| map(vec![("Name", text(name)), ("Value", text(value))]));
    let changed = Clock::system().now().as_second() - 600;
    map(vec![
        ("AlarmName", text(name)),
        ("AlarmArn", text(&format!("arn:aws:cloudwatch:eu-west-1:123456789012:alarm:{name}"))),
        ("StateValue", text("ALARM")),
        ("StateReason", text("Threshold Crossed")),
        ("StateTransitionedTimestamp", Value::Tag(1, Box::new(Value::Integer(changed.into())))),
        ("AlarmActions", Value::Array(vec![text(notifies)])),
        ("Namespace", text("Rotation")),
        ("MetricName", text("Failed")),
        ("Dimensions", Value::Array(dimensions.collect())),
    ])
}

fn alarm(children: &[&str]) -> Alarm {
    Alarm {
        source: AlarmSource::CloudWatch,
        key: "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:a".to_owned(),
        series: None,
        title: "a".to_owned(),
        account_id: "123456789012".parse().unwrap(),
        region: "eu-west-1".parse().unwrap(),
        state: AlarmState::Alarm,
        basis: OkBasis::default(),
        state_at: Clock::system().now(),
        reason: String::new(),
        description: String::new(),
        secrets: Vec::new(),
        functions: Vec::new(),
        children: children.iter().map(|name| (*name).to_owned()).collect(),
        remarks: Vec::new(),
        topic: Some(TOPIC.to_owned()),
    }
}

fn denied() -> Value {
    let message =
        "User: arn:aws:sts::123456789012:assumed-role/bot/x is not authorized to perform: cloudwatch:ListTagsForResource";
    map(vec![("__type", text("AccessDeniedException")), ("message", text(message))])
}

#[tokio::test]
async fn tags_come_before_children_and_children_before_functions() {
    let children = || {
        let alarms = vec![metric_alarm("c", TOPIC, &[("SecretId", "prod/child-db")])];
        map(vec![("MetricAlarms", Value::Array(alarms)), ("CompositeAlarms", Value::Array(vec![]))])
    };
    for (case, found_tags, expected, by) in [
        ("tags", tags(&[("team", "x"), ("secret", "prod/tagged-db")]), "prod/tagged-db", ResolvedBy::Tags),
        ("children", tags(&[("team", "x")]), "prod/child-db", ResolvedBy::Children),
    ] {
        let answers = vec![("ListTagsForResource", 200, found_tags), ("DescribeAlarms", 200, children())];
        let account = account("role_detached_policy", answers).await;
        let found = by_asking(&alarm(&["c"]), &account.aws, &Clock::system()).await;
        assert_eq!((found.secrets, found.by), (vec![expected.parse().unwrap()], by), "{case}");
    }
}

#[tokio::test]
async fn a_function_named_by_a_tag_leads_to_the_secrets_that_rotate_with_it() {
    let answers = vec![("ListTagsForResource", 200, tags(&[("function", "orders-rotator")]))];
    let account = account("role_detached_policy", answers).await;
    let found = by_asking(&alarm(&[]), &account.aws, &Clock::system()).await;
    assert_eq!(found.by, ResolvedBy::Function);
    assert!(found.secrets[0].as_str().contains("secret:prod/orders-db-"), "{:?}", found.secrets);
}

#[tokio::test]
async fn a_permission_that_is_missing_is_named_and_the_search_goes_on() {
    let account = account("healthy", vec![("ListTagsForResource", 400, denied())]).await;
    let found = by_asking(&alarm(&[]), &account.aws, &Clock::system()).await;
    assert_eq!((found.secrets.len(), found.by), (0, ResolvedBy::Nothing));
    let told = found.tried.join("; ");
    for part in [
        "the permission cloudwatch:ListTagsForResource is missing",
        "it names no function",
        "CloudTrail shows no failed rotation",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
}

/// What set off an alarm on a metric filter stands in the trail's log group; event history shows it later, or not at all.
#[tokio::test]
async fn the_log_group_of_a_trail_tells_of_failed_rotations_before_event_history_does() {
    let five_hours_ago = Clock::system().now() - jiff::SignedDuration::from_hours(5);
    let alarm = || Alarm { state_at: five_hours_ago, ..alarm(&[]) };
    let without_history = "[[fault]]\noperation = \"cloudtrail:LookupEvents\"\ndeny = true\n";
    let without_tags = || vec![("ListTagsForResource", 200, tags(&[]))];
    let account = account_with("role_detached_policy", without_history, without_tags()).await;
    let found = by_asking(&alarm(), &account.aws, &Clock::system()).await;
    assert_eq!(found.by, ResolvedBy::Events, "{:?}", found.tried);
    assert!(found.secrets[0].as_str().contains("secret:prod/orders-db-"), "{:?}", found.secrets);

    // Where the group cannot be read, event history is asked.
    let without_group = "[[fault]]\noperation = \"logs:FilterLogEvents\"\ndeny = true\n";
    let account = account_with("role_detached_policy", without_group, without_tags()).await;
    let found = by_asking(&alarm(), &account.aws, &Clock::system()).await;
    assert_eq!(found.by, ResolvedBy::Events, "{:?}", found.tried);
    assert!(found.tried.iter().any(|tried| tried.contains("the trail's log group could not be read")), "{:?}", found.tried);

    // A trail of many regions tells of rotations elsewhere, which are not this alarm's.
    let elsewhere = Alarm { region: "eu-central-1".parse().unwrap(), ..alarm() };
    let found = by_asking(&elsewhere, &account.aws, &Clock::system()).await;
    assert_eq!(found.secrets, Vec::new());
}

#[tokio::test]
async fn a_look_for_lost_alarms_brings_those_that_notify_us_and_no_others() {
    let config = Config::parse(
        &format!(
            "[alarms.sns]\ntopics = [\"{TOPIC}\"]\n[[alarms.route]]\nplatform = \"slack\"\nworkspace = \"T1\"\nchannel = \"C1\"\n\
         [[alarms.mapping]]\nalarm = \"mapped\"\nsecrets = [\"prod/x\"]\n"
        ),
        rotation_diag::app::PLATFORMS,
    )
    .unwrap();
    let elsewhere = "arn:aws:sns:eu-west-1:123456789012:pager";
    let alarms = vec![
        metric_alarm("ours", TOPIC, &[("SecretId", "prod/orders-db")]),
        metric_alarm("ours with spaces", TOPIC, &[]),
        metric_alarm("mapped", elsewhere, &[]),
        metric_alarm("cpu", elsewhere, &[("InstanceId", "i-1")]),
    ];
    let page = map(vec![("MetricAlarms", Value::Array(alarms)), ("CompositeAlarms", Value::Array(vec![]))]);
    let account = account("healthy_by_its_own_retry", vec![("DescribeAlarms", 200, page)]).await;
    let looked = look(&account.aws, &Clock::system(), Duration::from_secs(3_600)).await;
    assert_eq!(looked.unseen, Vec::<String>::new());
    let ours: Vec<(&str, &str)> = (looked.found.iter())
        .filter(|lost| lost.is_ours(&config.alarms))
        .map(|lost| (lost.alarm.title.as_str(), lost.alarm.region.as_str()))
        .collect();
    assert_eq!(
        ours,
        ["ours", "ours with spaces", "mapped", "prod/weather-db: rotation failed"].map(|title| (title, "eu-west-1"))
    );
    assert!(looked.found.iter().all(|lost| lost.alarm.topic.is_none() && lost.alarm.state_at > Timestamp::UNIX_EPOCH));
}

#[tokio::test]
async fn a_subscription_is_confirmed_so_that_only_the_account_can_end_it() {
    let account = account("healthy", Vec::new()).await;
    assert_eq!(account.aws.confirm_subscription(TOPIC, "2336412f37fb").await, Observation::Found(()));
    let asked = account.asked.lock().unwrap().join("\n");
    for part in ["Action=ConfirmSubscription", "Token=2336412f37fb", "AuthenticateOnUnsubscribe=true", "alarms"] {
        assert!(asked.contains(part), "{part}: {asked}");
    }
}
