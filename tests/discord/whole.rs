//! From a command typed in Discord to the end of its thread: the program itself, over real sockets.

use crate::fake_discord::{CHANNEL, Event, FakeDiscord, Fault, Signer, TOKEN};
use crate::program::{Program, account};
use jiff::Timestamp;
use serde_json::{Value, json};

/// Passes over what happens until `look` finds what it looks for.
async fn until<T>(fake: &FakeDiscord, look: impl Fn(&Event) -> Option<T>) -> T {
    loop {
        if let Some(found) = look(&fake.next().await) {
            return found;
        }
    }
}

/// The root message as it stands.
fn root_of(fake: &FakeDiscord) -> (u64, Value) {
    let messages = fake.with(|world| world.channels[&CHANNEL].messages.clone());
    let mut ours = messages.into_iter().filter(|(_, message)| message["author"]["bot"] == true);
    let root = ours.next().expect("nothing was posted");
    assert_eq!(ours.next(), None, "two messages in the channel");
    root
}

fn buttons(message: &Value) -> Vec<(String, String)> {
    let rows = message["components"].as_array().unwrap();
    let components = rows.iter().flat_map(|row| row["components"].as_array().unwrap());
    components
        .flat_map(|component| match component["options"].as_array() {
            Some(options) => options.iter().map(|o| (o["label"].clone(), o["value"].clone())).collect(),
            None => vec![(component["label"].clone(), component["custom_id"].clone())],
        })
        .map(|(label, token)| (label.as_str().unwrap().to_owned(), token.as_str().unwrap().to_owned()))
        .collect()
}

async fn verdict(fake: &FakeDiscord) -> (u64, Value) {
    let id = until(fake, |event| match event {
        Event::Edited { id, body, .. } if body["content"].as_str().unwrap().contains("is not rotating") => Some(*id),
        _ => None,
    })
    .await;
    let (root, message) = root_of(fake);
    assert_eq!(root, id);
    (root, message)
}

async fn reply_with(fake: &FakeDiscord, text: &str) -> (u64, Value) {
    until(fake, |event| match event {
        Event::Posted { channel, body, .. } if body.to_string().contains(text) => Some((*channel, body.clone())),
        _ => None,
    })
    .await
}

#[tokio::test]
async fn a_command_becomes_a_thread_in_which_the_team_goes_on() {
    let (fake, account, folder) = (FakeDiscord::start().await, account(), tempfile::tempdir().unwrap());
    let program = Program::start(&fake, &account, folder.path(), "gateway").await;
    until(&fake, |event| (*event == Event::Identified).then_some(())).await;

    let command = fake.with(|world| world.command(&[("secret", "prod/orders-db")]));
    fake.with(|world| world.dispatch("INTERACTION_CREATE", command.clone()));
    let answer = until(&fake, |event| match event {
        Event::Answered { body, .. } => Some(body.clone()),
        _ => None,
    })
    .await;
    assert_eq!(answer["type"], 5);
    let opened = until(&fake, |event| match event {
        Event::ThreadOpened { id, name, .. } => Some((*id, name.clone())),
        _ => None,
    })
    .await;
    assert!(opened.1.contains("prod/orders-db"), "{}", opened.1);
    let (root, message) = verdict(&fake).await;
    assert_eq!(root, opened.0);
    let details = reply_with(&fake, "What the nine steps saw").await;
    assert_eq!(details.0, root);

    let token = |message: &Value, label: &str| {
        let found = buttons(message).into_iter().find(|(known, _)| known.contains(label));
        found.unwrap_or_else(|| panic!("no {label} among {:?}", buttons(message))).1
    };
    let evidence = buttons(&message).into_iter().find(|(_, token)| token.ends_with(".evidence-4")).unwrap().1;
    let data = json!({"custom_id": "menu.1", "component_type": 3, "values": [evidence]});
    let at = json!({"message": {"id": root.to_string(), "channel_id": CHANNEL.to_string()}});
    let chosen = fake.with(|world| world.interaction(3, data, at));
    fake.with(|world| world.dispatch("INTERACTION_CREATE", chosen));
    assert_eq!(reply_with(&fake, "Step 4 · function logs").await.0, root);

    let click = fake.with(|world| world.click(&token(&message, "Export")));
    fake.with(|world| world.dispatch("INTERACTION_CREATE", click));
    let files = until(&fake, |event| match event {
        Event::Posted { files, .. } if files.len() == 2 => Some(files.clone()),
        _ => None,
    })
    .await;
    let report: Value = files
        .iter()
        .find_map(|(name, content)| name.ends_with(".json").then(|| serde_json::from_slice(content).unwrap()))
        .unwrap();
    assert_eq!(report["findings"][0]["cause"], "iam_identity_policy_missing");

    let words = fake.with(|world| world.mention(root, "resolve"));
    fake.with(|world| world.dispatch("MESSAGE_CREATE", words));
    until(&fake, |event| match event {
        Event::Edited { body, .. } if body["content"].as_str().unwrap().contains("Resolved") => Some(()),
        _ => None,
    })
    .await;

    // An old button, and somebody in a place where nothing is allowed.
    let click = fake.with(|world| world.click("1.0123456789abcdef0123456789abcdef.1.rerun"));
    fake.with(|world| world.dispatch("INTERACTION_CREATE", click));
    let told = |event: &Event| match event {
        Event::Answered { body, .. } if body["type"] == 4 => Some(body["data"]["content"].as_str().unwrap().to_owned()),
        _ => None,
    };
    assert!(until(&fake, told).await.contains("expired"));
    let elsewhere = fake.with(|world| {
        let data = json!({"id": "1", "name": "rotation-diag", "type": 1, "options": [{"name": "secret", "type": 3, "value": "prod/orders-db"}]});
        world.interaction(2, data, json!({"channel_id": "77", "channel": {"id": "77", "type": 0}}))
    });
    fake.with(|world| world.dispatch("INTERACTION_CREATE", elsewhere));
    let refusal = until(&fake, told).await;
    assert!(!refusal.contains("orders-db"), "{refusal}");

    let log = program.end().await;
    assert!(log.contains("connected to Discord"), "{log}");
    for secret in [TOKEN, "secret-token", command["token"].as_str().unwrap()] {
        assert!(!log.contains(secret), "{secret} was logged");
    }
    fake.with(|world| world.events.clear());
    fake.finish();
}

#[tokio::test]
async fn a_signed_request_does_the_same_without_a_gateway() {
    let (fake, account, folder) = (FakeDiscord::start().await, account(), tempfile::tempdir().unwrap());
    let program = Program::start(&fake, &account, folder.path(), "http").await;
    let command = fake.with(|world| world.command(&[("secret", "prod/orders-db"), ("window", "7d")]));
    let body = command.to_string();
    let timestamp = Timestamp::now().as_second().to_string();
    let address = format!("{}/discord/interactions", program.address);
    let signature = Signer::new().sign(&timestamp, body.as_bytes());
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let post = |signature: String| {
        client
            .post(&address)
            .header("x-signature-ed25519", signature)
            .header("x-signature-timestamp", &timestamp)
            .body(body.clone())
            .send()
    };
    assert_eq!(post(signature.replace('0', "1")).await.unwrap().status(), 401);
    let answer = post(signature).await.unwrap();
    assert_eq!(answer.status(), 200);
    let answer: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    assert_eq!(answer, json!({"type": 5, "data": {"flags": 64}}));
    fake.with(|world| world.said.values_mut().for_each(|said| said.answered = Some(5)));
    let (root, _) = verdict(&fake).await;
    assert_eq!(reply_with(&fake, "What the nine steps saw").await.0, root);
    assert_eq!(fake.with(|world| (world.sessions_left, world.asked("GET", "/gateway"))), (1_000, 0));
    program.kill().await;
    fake.with(|world| world.events.clear());
    fake.finish();
}

#[tokio::test]
async fn a_kill_between_the_first_message_and_its_thread_posts_nothing_twice() {
    let (fake, account, folder) = (FakeDiscord::start().await, account(), tempfile::tempdir().unwrap());
    for _ in 0..40 {
        fake.with(|world| world.fault("POST", "/threads", Fault::status(503)));
    }
    let program = Program::start(&fake, &account, folder.path(), "gateway").await;
    until(&fake, |event| (*event == Event::Identified).then_some(())).await;
    let command = fake.with(|world| world.command(&[("secret", "prod/orders-db")]));
    fake.with(|world| world.dispatch("INTERACTION_CREATE", command));
    until(&fake, |event| matches!(event, Event::Posted { .. }).then_some(())).await;
    program.kill().await;
    fake.with(|world| world.faults.clear());

    let program = Program::start(&fake, &account, folder.path(), "gateway").await;
    let opened = until(&fake, |event| match event {
        Event::ThreadOpened { id, .. } => Some(*id),
        _ => None,
    })
    .await;
    let (root, _) = verdict(&fake).await;
    assert_eq!(root, opened);
    program.kill().await;
    fake.with(|world| world.events.clear());
    fake.finish();
}
