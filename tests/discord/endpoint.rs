//! Interactions that Discord sends over HTTP.

use crate::bot::Bot;
use crate::fake_discord::Signer;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use jiff::Timestamp;
use rotation_diag::chat::Intake;
use rotation_diag::clock::Clock;
use rotation_diag::config::Token;
use rotation_diag::platforms::discord::DiscordMode;
use rotation_diag::platforms::discord::{Discord, INTERACTIONS_PATH};
use serde_json::{Value, json};
use std::sync::Arc;
use tower::ServiceExt as _;

struct Letter {
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

impl Letter {
    /// Signed as of some seconds from now.
    fn of(body: &Value, seconds: i64) -> Letter {
        let timestamp = (Timestamp::now().as_second() + seconds).to_string();
        let body = body.to_string().into_bytes();
        let signature = Signer::new().sign(&timestamp, &body);
        Letter { headers: vec![("x-signature-ed25519", signature), ("x-signature-timestamp", timestamp)], body }
    }

    fn with(mut self, name: &str, change: impl FnOnce(&str) -> String) -> Letter {
        let value = self.headers.iter_mut().find(|(known, _)| *known == name).unwrap();
        value.1 = change(&value.1);
        self
    }

    fn without(mut self, name: &str) -> Letter {
        self.headers.retain(|(known, _)| *known != name);
        self
    }

    fn twice(mut self, name: &'static str) -> Letter {
        let value = self.headers.iter().find(|(known, _)| *known == name).unwrap().1.clone();
        self.headers.push((name, value));
        self
    }
}

async fn post(bot: &Bot, letter: Letter) -> (StatusCode, Vec<u8>) {
    let routes = bot.discord.routes(Arc::clone(&bot.intake) as Arc<dyn Intake>);
    let mut request = Request::post(INTERACTIONS_PATH);
    for (name, value) in letter.headers {
        request = request.header(name, value);
    }
    let response = routes.oneshot(request.body(Body::from(letter.body)).unwrap()).await.unwrap();
    let status = response.status();
    (status, axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap().to_vec())
}

const SIGNATURE: &str = "x-signature-ed25519";
const TIMESTAMP: &str = "x-signature-timestamp";

#[tokio::test]
async fn what_discord_did_not_sign_or_not_lately_is_refused_without_a_word() {
    let bot = Bot::new(DiscordMode::Http).await;
    let command = bot.fake.with(|world| world.command(&[("secret", "prod/orders-db")]));
    let ping = json!({"id": "1", "type": 1, "token": "t"});
    for body in [&command, &ping] {
        let fresh = || Letter::of(body, 0);
        let mut other_body = fresh();
        other_body.body.push(b' ');
        let letters = [
            ("no signature", fresh().without(SIGNATURE)),
            ("no timestamp", fresh().without(TIMESTAMP)),
            ("two signatures", fresh().twice(SIGNATURE)),
            ("two timestamps", fresh().twice(TIMESTAMP)),
            ("empty", fresh().with(SIGNATURE, |_| String::new())),
            ("odd", fresh().with(SIGNATURE, |hex| hex[1..].to_owned())),
            ("long", fresh().with(SIGNATURE, |hex| format!("{hex}00"))),
            ("not hexadecimal", fresh().with(SIGNATURE, |hex| format!("zz{}", &hex[2..]))),
            ("a sign for a digit", fresh().with(SIGNATURE, |_| "+1".repeat(64))),
            ("not ASCII", fresh().with(SIGNATURE, |_| "é".repeat(64))),
            ("zeros", fresh().with(SIGNATURE, |_| "0".repeat(128))),
            (
                "flipped",
                fresh().with(SIGNATURE, |hex| {
                    hex.strip_prefix('0').map_or_else(|| format!("0{}", &hex[1..]), |rest| format!("1{rest}"))
                }),
            ),
            ("another body", other_body),
            ("another time", fresh().with(TIMESTAMP, |at| (at.parse::<i64>().unwrap() - 1).to_string())),
            ("six minutes old", Letter::of(body, -360)),
            ("six minutes ahead", Letter::of(body, 360)),
        ];
        for (name, letter) in letters {
            assert_eq!(post(&bot, letter).await, (StatusCode::UNAUTHORIZED, Vec::new()), "{name}");
        }
    }
    assert_eq!(bot.intake.heard_so_far(), 0);
    assert_eq!(bot.fake.with(|world| world.requests.clone()), Vec::<String>::new());
    bot.fake.finish();
}

#[tokio::test]
async fn a_signed_ping_is_answered() {
    let bot = Bot::new(DiscordMode::Http).await;
    for seconds in [0, -299, 299] {
        let (status, body) =
            post(&bot, Letter::of(&json!({"id": "1", "application_id": "2", "type": 1, "token": "t"}), seconds)).await;
        assert_eq!((status, serde_json::from_slice(&body).unwrap()), (StatusCode::OK, json!({"type": 1, "data": null})));
    }
    bot.fake.finish();
}

#[tokio::test]
async fn a_signed_command_is_deferred_in_the_answer_itself_and_a_repetition_is_heard_once() {
    let bot = Bot::new(DiscordMode::Http).await;
    let command = bot.fake.with(|world| world.command(&[("secret", "prod/orders-db")]));
    for _ in 0..2 {
        let (status, body) = post(&bot, Letter::of(&command, 0)).await;
        assert_eq!(
            (status, serde_json::from_slice(&body).unwrap()),
            (StatusCode::OK, json!({"type": 5, "data": {"flags": 64, "attachments": []}}))
        );
    }
    bot.intake.heard().await;
    assert_eq!(bot.intake.heard_so_far(), 0);
    bot.fake.finish();
}

#[tokio::test]
async fn bodies_have_a_bound_and_other_methods_no_place() {
    let bot = Bot::new(DiscordMode::Http).await;
    let mut large = Letter::of(&json!({"id": "1", "type": 1}), 0);
    large.body.resize((512 << 10) + 1, b' ');
    assert_eq!(post(&bot, large).await, (StatusCode::PAYLOAD_TOO_LARGE, Vec::new()));
    for body in [json!({}), json!([]), json!({"id": "x", "type": 1}), json!({"id": "1", "type": "1"})] {
        assert_eq!(post(&bot, Letter::of(&body, 0)).await, (StatusCode::BAD_REQUEST, Vec::new()), "{body}");
    }
    let routes = bot.discord.routes(Arc::clone(&bot.intake) as Arc<dyn Intake>);
    let get = Request::get(INTERACTIONS_PATH).body(Body::empty()).unwrap();
    assert_eq!(routes.oneshot(get).await.unwrap().status(), StatusCode::METHOD_NOT_ALLOWED);
    bot.fake.finish();
}

#[tokio::test]
async fn a_body_that_does_not_arrive_is_not_waited_for() {
    let bot = Bot::new(DiscordMode::Http).await;
    let never = futures::stream::pending::<Result<axum::body::Bytes, std::io::Error>>();
    let routes = bot.discord.routes(Arc::clone(&bot.intake) as Arc<dyn Intake>);
    let request = Request::post(INTERACTIONS_PATH).body(Body::from_stream(never)).unwrap();
    let answer = tokio::time::timeout(crate::fake_discord::SOON, routes.oneshot(request)).await.expect("it waits");
    assert_eq!(answer.unwrap().status(), StatusCode::REQUEST_TIMEOUT);
    bot.fake.finish();
}

#[tokio::test]
async fn so_many_are_taken_in_at_once_and_no_more() {
    let bot = Bot::new(DiscordMode::Http).await;
    bot.intake.door.forget_permits(usize::MAX);
    let routes = bot.discord.routes(Arc::clone(&bot.intake) as Arc<dyn Intake>);
    let ask = || {
        let letter = Letter::of(&bot.fake.with(|world| world.command(&[("secret", "prod/orders-db")])), 0);
        let mut request = Request::post(INTERACTIONS_PATH);
        for (name, value) in &letter.headers {
            request = request.header(*name, value);
        }
        let answer = routes.clone().oneshot(request.body(Body::from(letter.body)).unwrap());
        async move {
            let body = axum::body::to_bytes(answer.await.unwrap().into_body(), 1 << 20).await.unwrap();
            serde_json::from_slice::<Value>(&body).unwrap()
        }
    };
    let answers = futures::future::join_all((0..257).map(|_| ask())).await;
    let deferred = answers.iter().filter(|answer| answer["type"] == 5).count();
    let refused =
        answers.iter().filter(|answer| answer["data"]["content"].as_str().is_some_and(|told| told.contains("too busy")));
    assert_eq!((deferred, refused.count()), (256, 1));
    // Whoever was taken in is served, and then there is room again.
    bot.intake.door.add_permits(512);
    for _ in 0..256 {
        bot.intake.heard().await;
    }
    assert_eq!(ask().await["type"], 5);
    bot.fake.finish();
}

#[tokio::test]
async fn the_gateway_leaves_no_address_open() {
    let bot = Bot::new(DiscordMode::Gateway).await;
    let letter = Letter::of(&json!({"id": "1", "type": 1}), 0);
    assert_eq!(post(&bot, letter).await.0, StatusCode::NOT_FOUND);
    bot.fake.finish();
}

#[tokio::test]
async fn a_key_that_is_no_key_stops_the_start_with_a_sentence() {
    let bot = Bot::new(DiscordMode::Http).await;
    let mut config = bot.fake.config(DiscordMode::Http);
    // A number of the right length that is no point of the curve.
    config.public_key = Some(std::array::from_fn(|at| if at == 0 { 2 } else { 0 }));
    let error = Discord::new(&config, Token::new("t"), Clock::system()).err().unwrap();
    assert_eq!(error.to_string(), "discord.public_key is not a key: copy it anew from the developer portal, General Information");
    config.public_key = None;
    let error = Discord::new(&config, Token::new("t"), Clock::system()).err().unwrap();
    assert_eq!(error.to_string(), "discord.public_key is missing");
    let error = Discord::new(&bot.fake.config(DiscordMode::Gateway), Token::new("a\nb"), Clock::system()).err().unwrap();
    assert_eq!(error.to_string(), "the bot's token holds characters that no token has");
    bot.fake.finish();
}

#[tokio::test]
async fn two_keys_are_valid_at_once_and_one_that_is_not_configured_is_not() {
    let bot = Bot::new(DiscordMode::Http).await;
    let mut config = bot.fake.config(DiscordMode::Http);
    let own = config.public_key;
    // The point of RFC 8032's second test: a key of somebody else.
    let other = hex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
    let ping = json!({"id": "1", "application_id": "2", "type": 1, "token": "t"});
    for (key, next, expected) in [
        (own, None, StatusCode::OK),
        (Some(other), own, StatusCode::OK),
        (own, Some(other), StatusCode::OK),
        (Some(other), None, StatusCode::UNAUTHORIZED),
    ] {
        (config.public_key, config.next_public_key) = (key, next);
        let discord = Discord::new(&config, Token::new("unused-token"), Clock::system()).unwrap();
        let routes = discord.routes(Arc::clone(&bot.intake) as Arc<dyn Intake>);
        let letter = Letter::of(&ping, 0);
        let mut request = Request::post(INTERACTIONS_PATH);
        for (name, value) in letter.headers {
            request = request.header(name, value);
        }
        let answer = routes.oneshot(request.body(Body::from(letter.body)).unwrap()).await.unwrap();
        assert_eq!(answer.status(), expected);
    }
    bot.fake.finish();
}

fn hex(text: &str) -> [u8; 32] {
    let mut key = [0; 32];
    for (at, byte) in key.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap();
    }
    key
}
