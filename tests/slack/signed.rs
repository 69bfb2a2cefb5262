//! HTTP mode: requests that Slack signed, and others.

use crate::fake_slack::{FakeSlack, SECRET, signature};
use crate::recording_intake::{Next, RecordingIntake, config, fast, http_mode, tokens};
use reqwest::{Client, Response, StatusCode};
use rotation_diag::chat::{Intake, Payload};
use rotation_diag::clock::Clock;
use rotation_diag::platforms::slack::{Lookups, Slack};
use serde_json::{Value, json};
use std::sync::Arc;

struct Site {
    fake: FakeSlack,
    intake: Arc<RecordingIntake>,
    url: String,
    client: Client,
}

impl Site {
    async fn start() -> Site {
        rotation_diag::tls::choose();
        let fake = FakeSlack::start().await;
        let config = config(&fake, http_mode());
        let slack = Slack::with_rhythm(&config, &tokens(SECRET), Lookups::default(), Clock::system(), fast()).unwrap();
        let intake = Arc::new(RecordingIntake::default());
        let router = Arc::new(slack).router(Arc::clone(&intake) as Arc<dyn Intake>).unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/slack", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Site { fake, intake, url, client: Client::new() }
    }

    /// Posts with a signature of now.
    async fn signed(&self, path: &str, kind: &str, body: &str) -> Response {
        let timestamp = Clock::system().now().as_second().to_string();
        let signature = signature(SECRET, &timestamp, body.as_bytes());
        self.post(path, kind, body, &timestamp, &signature).await
    }

    async fn post(&self, path: &str, kind: &str, body: &str, timestamp: &str, signature: &str) -> Response {
        let request = self.client.post(format!("{}/{path}", self.url)).header("content-type", kind);
        request
            .header("x-slack-request-timestamp", timestamp)
            .header("x-slack-signature", signature)
            .body(body.to_owned())
            .send()
            .await
            .unwrap()
    }

    async fn form(&self, path: &str, fields: &Value) -> Response {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in fields.as_object().unwrap() {
            form.append_pair(name, value.as_str().unwrap());
        }
        self.signed(path, FORM, &form.finish()).await
    }

    async fn event(&self, event: &Value) -> Response {
        self.signed("events", JSON, &event.to_string()).await
    }

    async fn interaction(&self, payload: &Value) -> Response {
        self.form("interactivity", &json!({ "payload": payload.to_string() })).await
    }
}

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json; charset=utf-8";

async fn text(response: Response) -> (StatusCode, String) {
    (response.status(), response.text().await.unwrap())
}

#[tokio::test]
async fn commands_events_and_clicks_are_heard() {
    let site = Site::start().await;
    let command = site.form("command", &site.fake.command_payload("U1", "C1", "prod/orders-db window:7d")).await;
    assert_eq!(text(command).await, (StatusCode::OK, String::new()));
    let event = site.event(&site.fake.mention_payload("U1", "C1", "rerun 4", Some("1764000000.000001"))).await;
    assert_eq!(event.status(), StatusCode::OK);
    let action = json!({ "type": "button", "action_id": "act-0", "value": "token" });
    let click = site.interaction(&site.fake.interaction("U1", "C1", "1764000000.000001", None, action)).await;
    assert_eq!(click.status(), StatusCode::OK);
    let said: Vec<Payload> = site.intake.heard().into_iter().map(|inbound| inbound.said).collect();
    let words = |words: &str| Payload::Words(words.to_owned());
    assert_eq!(said, [words("prod/orders-db window:7d"), words("rerun 4"), Payload::Click("token".to_owned())]);
    site.fake.finish();
}

#[tokio::test]
async fn answers_come_with_the_response() {
    let site = Site::start().await;
    site.intake.next(Next::Answer("No."));
    let command = site.form("command", &site.fake.command_payload("U1", "C1", "x")).await;
    let answer: Value = serde_json::from_str(&text(command).await.1).unwrap();
    assert_eq!((&answer["response_type"], &answer["text"]), (&json!("ephemeral"), &json!("No.")));
    site.intake.next(Next::Answer("Not that one."));
    let fields = [("secret", json!({ "type": "plain_text_input", "value": "x" }))];
    let submission = site.interaction(&site.fake.submission("U1", "investigate", &fields)).await;
    assert_eq!(text(submission).await.1, r#"{"response_action":"errors","errors":{"secret":"Not that one."}}"#);
    site.fake.finish();
}

#[tokio::test]
async fn a_replay_and_a_retry_count_once() {
    let site = Site::start().await;
    let event = site.fake.mention_payload("U1", "C1", "x", None).to_string();
    let timestamp = Clock::system().now().as_second().to_string();
    let signature = signature(SECRET, &timestamp, event.as_bytes());
    for retry in 0..4 {
        let request = site.client.post(format!("{}/events", site.url)).header("content-type", JSON);
        let request = request.header("x-slack-request-timestamp", &timestamp).header("x-slack-signature", &signature);
        let request = request.header("x-slack-retry-num", retry).header("x-slack-retry-reason", "http_timeout");
        assert_eq!(request.body(event.clone()).send().await.unwrap().status(), StatusCode::OK);
    }
    assert_eq!(site.intake.heard().len(), 1);
    site.fake.finish();
}

#[tokio::test]
async fn nothing_happens_for_what_slack_did_not_sign() {
    let site = Site::start().await;
    let challenge = json!({ "type": "url_verification", "challenge": "canarychallenge", "token": "x" }).to_string();
    let now = Clock::system().now().as_second();
    let at = |offset: i64| (now + offset).to_string();
    let good = |timestamp: &str| signature(SECRET, timestamp, challenge.as_bytes());
    let other = signature("another secret", &at(0), challenge.as_bytes());
    for (name, timestamp, signature) in [
        ("another secret", at(0), other),
        ("no signature", at(0), String::new()),
        ("only the prefix", at(0), "v0=".to_owned()),
        ("another version", at(0), good(&at(0)).replace("v0=", "v1=")),
        ("capitals", at(0), good(&at(0)).to_uppercase()),
        ("cut", at(0), good(&at(0))[..60].to_owned()),
        ("too old", at(-310), good(&at(-310))),
        ("from the future", at(310), good(&at(310))),
        ("another time than the one signed", at(-5), good(&at(0))),
        ("no time", String::new(), good("")),
        ("a time that is none", "soon".to_owned(), good("soon")),
        ("a time with a sign", format!("+{}", at(0)), good(&format!("+{}", at(0)))),
    ] {
        for path in ["events", "command", "interactivity"] {
            let answer = text(site.post(path, JSON, &challenge, &timestamp, &signature).await).await;
            assert_eq!(answer, (StatusCode::UNAUTHORIZED, String::new()), "{name} at {path}");
        }
    }
    let without = site.client.post(format!("{}/events", site.url)).body(challenge.clone()).send().await.unwrap();
    assert_eq!(text(without).await, (StatusCode::UNAUTHORIZED, String::new()));
    assert!(site.intake.heard().is_empty());
    assert!(site.fake.world().calls.is_empty(), "nothing is asked on behalf of nobody");
    let signed = text(site.signed("events", JSON, &challenge).await).await;
    assert_eq!(signed, (StatusCode::OK, r#"{"challenge":"canarychallenge"}"#.to_owned()));
    site.fake.finish();
}

#[tokio::test]
async fn a_body_is_read_up_to_its_limit_before_anything_else() {
    let site = Site::start().await;
    let at_limit = "x".repeat(1 << 20);
    let over = "x".repeat((1 << 20) + 1);
    let ten = "x".repeat(10 << 20);
    assert_eq!(site.signed("events", JSON, &at_limit).await.status(), StatusCode::BAD_REQUEST, "read, verified, no JSON");
    assert_eq!(site.signed("events", JSON, &over).await.status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(site.signed("command", FORM, &over).await.status(), StatusCode::PAYLOAD_TOO_LARGE);
    let timestamp = Clock::system().now().as_second().to_string();
    let request = site.client.post(format!("{}/events", site.url)).header("x-slack-request-timestamp", timestamp);
    let large = request.header("x-slack-signature", "v0=00").body(ten).send().await;
    // The connection may be closed before all of it was sent.
    assert!(large.is_err() || large.unwrap().status() == StatusCode::PAYLOAD_TOO_LARGE);
    site.fake.finish();
}

#[tokio::test]
async fn a_body_of_another_kind_than_the_path_is_for_is_refused() {
    let site = Site::start().await;
    let event = site.fake.mention_payload("U1", "C1", "x", None).to_string();
    for kind in ["", "text/plain", "application/jsonp", "application/x-www-form-urlencoded", "json", ";;;", "application/json/é"]
    {
        assert_eq!(site.signed("events", kind, &event).await.status(), StatusCode::BAD_REQUEST, "{kind}");
    }
    for kind in ["application/json", "application/json;charset=utf-8", "APPLICATION/JSON"] {
        assert_eq!(site.signed("events", kind, &event).await.status(), StatusCode::OK, "{kind}");
    }
    for body in ["", "%", "payload", "payload=", "payload=%7B%7D", "payload=null", "payload=%FF", "\u{0}"] {
        assert_eq!(site.signed("interactivity", FORM, body).await.status(), StatusCode::BAD_REQUEST, "{body:?}");
        assert_eq!(site.signed("command", FORM, body).await.status(), StatusCode::BAD_REQUEST, "{body:?}");
    }
    for body in ["", "{", "null", "[]", "{\"type\":1}", "{\"type\":\"event_callback\"}", &"[".repeat(20_000)] {
        let status = site.signed("events", JSON, body).await.status();
        assert!(matches!(status, StatusCode::BAD_REQUEST | StatusCode::OK), "{status} {body:.20}");
    }
    assert_eq!(site.intake.heard().len(), 1);
    site.fake.finish();
}

#[tokio::test]
async fn slack_may_check_the_certificate() {
    let site = Site::start().await;
    let check = site.signed("command", FORM, "ssl_check=1&token=x").await;
    assert_eq!(check.status(), StatusCode::OK);
    assert_eq!(site.client.get(format!("{}/command", site.url)).send().await.unwrap().status(), StatusCode::METHOD_NOT_ALLOWED);
    assert!(site.intake.heard().is_empty());
    site.fake.finish();
}

#[tokio::test]
async fn what_could_not_be_stored_is_sent_again_and_a_panic_ends_only_its_own_request() {
    let site = Site::start().await;
    let event = site.fake.mention_payload("U1", "C1", "x", None);
    site.intake.next(Next::Unavailable("Please try again."));
    assert_eq!(site.event(&event).await.status(), StatusCode::SERVICE_UNAVAILABLE);
    site.intake.next(Next::Panic);
    assert_eq!(text(site.event(&event).await).await, (StatusCode::INTERNAL_SERVER_ERROR, String::new()));
    assert_eq!(site.event(&event).await.status(), StatusCode::OK);
    assert_eq!(site.intake.heard().len(), 1);
    site.fake.finish();
}
