//! From a command typed in Discord to the end of its thread: the program itself, over real sockets.

use crate::fake_discord::{CHANNEL, Event, FakeDiscord, Fault, Signer, TOKEN, buttons, text};
use crate::launched::Program;
use crate::program::{account, start};
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

async fn verdict(fake: &FakeDiscord) -> (u64, Value) {
    let id = until(fake, |event| match event {
        Event::Edited { id, body, .. } if text(body).contains("is not rotating") => Some(*id),
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
    let program = start(&fake, &account, folder.path(), "gateway").await;
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
    let details = reply_with(&fake, "What the nine steps found").await;
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
        Event::Edited { body, .. } if text(body).contains("Resolved") => Some(()),
        _ => None,
    })
    .await;

    // An old button, and somebody in a place where nothing is allowed.
    let click = fake.with(|world| world.click("1.0123456789abcdef0123456789abcdef.1.rerun"));
    fake.with(|world| world.dispatch("INTERACTION_CREATE", click));
    let told = |event: &Event| match event {
        Event::Answered { body, .. } if body["type"] == 4 => Some(text(&body["data"])),
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

/// Sends an interaction over HTTP with a signature, and returns the status and the first answer.
async fn send(program: &Program, interaction: &Value, sign: impl Fn(&str, &[u8]) -> String) -> (u16, Value) {
    let body = interaction.to_string();
    let timestamp = Timestamp::now().as_second().to_string();
    rotation_diag::tls::choose();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = client
        .post(format!("http://{}/discord/interactions", program.address))
        .header("x-signature-ed25519", sign(&timestamp, body.as_bytes()))
        .header("x-signature-timestamp", &timestamp)
        .body(body);
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), serde_json::from_str(&answer.text().await.unwrap()).unwrap_or_default())
}

/// Types the command where the bot listens in this mode.
async fn ask(fake: &FakeDiscord, program: &Program, mode: &str, options: &[(&str, &str)]) {
    let command = fake.with(|world| world.command(options));
    if mode == "gateway" {
        return fake.with(|world| world.dispatch("INTERACTION_CREATE", command));
    }
    let (status, answer) = send(program, &command, |timestamp, body| Signer::new().sign(timestamp, body)).await;
    assert_eq!((status, answer), (200, json!({"type": 5, "data": {"flags": 64, "attachments": []}})));
    fake.with(|world| world.said.values_mut().for_each(|said| said.answered = Some(5)));
}

#[tokio::test]
async fn a_signed_request_does_the_same_without_a_gateway() {
    let (fake, account, folder) = (FakeDiscord::start().await, account(), tempfile::tempdir().unwrap());
    let program = start(&fake, &account, folder.path(), "http").await;
    let command = fake.with(|world| world.command(&[("secret", "prod/orders-db")]));
    let forged = |timestamp: &str, body: &[u8]| Signer::new().sign(timestamp, body).replace('0', "1");
    assert_eq!(send(&program, &command, forged).await.0, 401);
    ask(&fake, &program, "http", &[("secret", "prod/orders-db"), ("window", "7d")]).await;
    let (root, _) = verdict(&fake).await;
    assert_eq!(reply_with(&fake, "What the nine steps found").await.0, root);
    assert_eq!(fake.with(|world| (world.sessions_left, world.asked("GET", "/gateway"))), (1_000, 0));
    program.kill().await;
    fake.with(|world| world.events.clear());
    fake.finish();
}

#[tokio::test]
async fn messages_whose_answers_were_lost_are_found_again_and_not_posted_twice() {
    for mode in ["gateway", "http"] {
        let (fake, account, folder) = (FakeDiscord::start().await, account(), tempfile::tempdir().unwrap());
        let program = start(&fake, &account, folder.path(), mode).await;
        if mode == "gateway" {
            until(&fake, |event| (*event == Event::Identified).then_some(())).await;
        }
        fake.with(|world| {
            // The first message, and the first thought in its thread.
            (0..2).for_each(|_| world.fault("POST", "/messages", Fault::LoseAnswer));
        });
        ask(&fake, &program, mode, &[("secret", "prod/orders-db")]).await;
        let opened = until(&fake, |event| match event {
            Event::ThreadOpened { id, .. } => Some(*id),
            _ => None,
        })
        .await;
        let (root, _) = verdict(&fake).await;
        assert_eq!(root, opened, "{mode}");
        reply_with(&fake, "What the nine steps found").await;
        fake.wait_for(|world| (world.asked("POST", &format!("/{root}/messages")) > 1).then_some(())).await;
        program.kill().await;
        let replies = fake.with(|world| world.channels[&root].messages.values().map(text).collect::<Vec<_>>());
        let mut once = replies.clone();
        once.sort_by_key(ToString::to_string);
        once.dedup();
        assert_eq!(once.len(), replies.len(), "{mode}: {replies:?}");
        fake.with(|world| world.events.clear());
        fake.finish();
    }
}

#[tokio::test]
async fn a_kill_between_the_first_message_and_its_thread_posts_nothing_twice() {
    let (fake, account, folder) = (FakeDiscord::start().await, account(), tempfile::tempdir().unwrap());
    for _ in 0..40 {
        fake.with(|world| world.fault("POST", "/threads", Fault::status(503)));
    }
    let program = start(&fake, &account, folder.path(), "gateway").await;
    until(&fake, |event| (*event == Event::Identified).then_some(())).await;
    let command = fake.with(|world| world.command(&[("secret", "prod/orders-db")]));
    fake.with(|world| world.dispatch("INTERACTION_CREATE", command));
    until(&fake, |event| matches!(event, Event::Posted { .. }).then_some(())).await;
    program.kill().await;
    fake.with(|world| {
        world.faults.clear();
        // Only Discord knows when the process before began its session.
        world.last_session = None;
    });

    let program = start(&fake, &account, folder.path(), "gateway").await;
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
