//! The Web API: methods as functions of the world.

use super::world::{BOT_USER, Call, Fault, Posted, Shared, TEAM, Upload, World};
use super::{FakeSlack, blocks, now};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, post};
use serde_json::{Value, json};
use std::collections::HashMap;
use tokio::net::TcpListener;

pub(super) fn serve(fake: FakeSlack, listener: TcpListener) {
    let routes = Router::new()
        .route("/api/{method}", any(method))
        .route("/upload/{file}", post(upload))
        .route("/response/{id}", post(respond))
        .with_state(fake);
    tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
}

async fn method(
    State(fake): State<FakeSlack>,
    Path(method): Path<String>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let arguments = if body.is_empty() {
        Value::Object(query.into_iter().map(|(name, value)| (name, Value::String(value))).collect())
    } else {
        serde_json::from_slice(&body).unwrap_or(Value::Null)
    };
    let fault = {
        let mut world = fake.world();
        world.calls.push(Call { method: method.clone(), arguments: arguments.clone(), at: now() });
        let at = world.faults.iter().position(|(of, _)| *of == method);
        let once = at.map(|at| world.faults.remove(at).1);
        once.or_else(|| world.always.iter().find(|(of, _)| *of == method).map(|(_, fault)| fault.clone()))
    };
    match &fault {
        Some(Fault::Hang) => {
            fake.changed.notify_waiters();
            std::future::pending::<()>().await;
        }
        Some(Fault::Late(now)) => {
            let (fake, now, method) = (fake.clone(), now.clone(), method.clone());
            // Beside the request, which its sender gives up.
            tokio::spawn(async move {
                now.notified().await;
                fake.change(|world| call(world, &fake, &method, &arguments)).unwrap();
            });
            std::future::pending::<()>().await;
            unreachable!();
        }
        Some(Fault::Code(code)) => return failed(&fake, code),
        Some(Fault::Status(status, headers)) => {
            fake.changed.notify_waiters();
            let mut answer = StatusCode::from_u16(*status).unwrap().into_response();
            for (name, value) in headers {
                answer.headers_mut().insert(*name, value.parse().unwrap());
            }
            return answer;
        }
        Some(Fault::Body(kind, body)) => {
            fake.changed.notify_waiters();
            return ([("content-type", *kind)], *body).into_response();
        }
        Some(Fault::LostAfterwards | Fault::HangAfterwards) | None => {}
    }
    let token = headers.get("authorization").and_then(|value| value.to_str().ok()?.strip_prefix("Bearer ")).unwrap_or_default();
    let bot = fake.world().bot_token.clone();
    let app = fake.world().app_token.clone();
    if token != if method == "apps.connections.open" { &app } else { &bot } {
        // Source: Slack, "apps.connections.open", "Errors"; the same code stands on every method's page.
        let is_the_other = [app.as_str(), bot.as_str()].contains(&token);
        return failed(&fake, if is_the_other { "not_allowed_token_type" } else { "invalid_auth" });
    }
    let result = fake.change(|world| call(world, &fake, &method, &arguments));
    if matches!(fault, Some(Fault::HangAfterwards)) {
        std::future::pending::<()>().await;
    }
    if matches!(fault, Some(Fault::LostAfterwards)) {
        // The connection breaks in the middle of the answer.
        let broken = futures::stream::iter([Ok(Bytes::from_static(b"{\"ok\":")), Err(std::io::Error::other("cut"))]);
        return Response::new(Body::from_stream(broken));
    }
    let scopes = fake.world().scopes.clone();
    match result {
        Ok(mut answer) => {
            answer["ok"] = json!(true);
            ([("x-oauth-scopes", scopes)], axum::Json(answer)).into_response()
        }
        Err(code) => failed(&fake, &code),
    }
}

fn failed(fake: &FakeSlack, code: &str) -> Response {
    fake.changed.notify_waiters();
    axum::Json(json!({ "ok": false, "error": code })).into_response()
}

fn text<'a>(arguments: &'a Value, name: &str) -> Result<&'a str, String> {
    arguments[name].as_str().ok_or_else(|| "invalid_arguments".to_owned())
}

fn call(world: &mut World, fake: &FakeSlack, method: &str, arguments: &Value) -> Result<Value, String> {
    match method {
        "auth.test" => {
            let (organization, is_everywhere) = world.organization.clone().unzip();
            Ok(json!({
                "url": "https://example.slack.com/", "team": "Example", "team_id": TEAM, "user": "rotation-diag",
                "user_id": BOT_USER, "bot_id": "BBOT", "enterprise_id": organization,
                "is_enterprise_install": is_everywhere.unwrap_or_default(),
            }))
        }
        "apps.connections.open" => {
            let ticket = format!("canaryticket{}", world.next());
            world.tickets.push(ticket.clone());
            Ok(json!({ "url": format!("ws://{}/link/?ticket={ticket}&app_id=A1", fake.sockets) }))
        }
        "chat.postMessage" => {
            let channel = text(arguments, "channel")?.to_owned();
            if world.users.contains_key(&channel) {
                // To a person: it arrives in the app's own messages.
                check_content(world, arguments)?;
                world.ephemerals.push(arguments.clone());
                return Ok(json!({ "channel": format!("D{channel}"), "ts": world.next_ts() }));
            }
            may_post(world, &channel)?;
            check_content(world, arguments)?;
            let thread = arguments["thread_ts"].as_str().map(str::to_owned);
            if let Some(root) = &thread
                && world.message(&channel, root).is_none()
            {
                return Err("thread_not_found".to_owned());
            }
            if !matches!(arguments["unfurl_links"], Value::Bool(false))
                || !matches!(arguments["unfurl_media"], Value::Bool(false))
            {
                world.problems.push("a message would unfurl links".to_owned());
            }
            let ts = world.next_ts();
            world.add_post(Posted {
                channel: channel.clone(),
                ts: ts.clone(),
                thread,
                text: text(arguments, "text")?.to_owned(),
                blocks: arguments["blocks"].clone(),
                metadata: arguments["metadata"].clone(),
                request: arguments.clone(),
                edits: 0,
                files: Vec::new(),
            });
            Ok(json!({ "channel": channel, "ts": ts, "message": { "ts": ts, "bot_id": "BBOT", "text": arguments["text"] } }))
        }
        "chat.update" => {
            let channel = text(arguments, "channel")?.to_owned();
            may_post(world, &channel)?;
            check_content(world, arguments)?;
            let ts = text(arguments, "ts")?;
            let messages = &mut world.channels.get_mut(&channel).ok_or("channel_not_found")?.messages;
            let post = messages.iter_mut().find(|post| post.ts == ts).ok_or("message_not_found")?;
            post.text = text(arguments, "text")?.to_owned();
            post.blocks = arguments["blocks"].clone();
            post.request = arguments.clone();
            post.edits += 1;
            Ok(json!({ "channel": channel, "ts": ts, "text": arguments["text"] }))
        }
        "chat.unfurl" => {
            for (url, shown) in arguments["unfurls"].as_object().ok_or("missing_unfurls")? {
                if let Err(why) = blocks::check(&shown["blocks"], false) {
                    world.problems.push(format!("{url}: {why}"));
                    return Err("invalid_unfurls_format".to_owned());
                }
            }
            let is_named = arguments["unfurl_id"].is_string() && arguments["source"].is_string();
            if !(is_named || arguments["channel"].is_string() && arguments["ts"].is_string()) {
                return Err("missing_unfurl_id".to_owned());
            }
            world.unfurled.push(arguments.clone());
            Ok(json!({}))
        }
        "chat.postEphemeral" => {
            may_post(world, text(arguments, "channel")?)?;
            check_content(world, arguments)?;
            world.ephemerals.push(arguments.clone());
            let ts = world.next_ts();
            Ok(json!({ "message_ts": ts }))
        }
        "conversations.info" => {
            let id = text(arguments, "channel")?;
            let channel = world.channels.get(id).ok_or("channel_not_found")?;
            Ok(json!({ "channel": { "id": id, "is_channel": true, "is_ext_shared": channel.is_shared } }))
        }
        "conversations.history" | "conversations.replies" => history(world, arguments, method == "conversations.replies"),
        "files.getUploadURLExternal" => {
            let id = format!("F{}", world.next());
            let length = text(arguments, "length")?.parse().map_err(|_| "invalid_arguments")?;
            let name = text(arguments, "filename")?.to_owned();
            world.uploads.insert(id.clone(), Upload { name, length, content: None });
            Ok(json!({ "upload_url": format!("http://{}/upload/{id}", fake.web), "file_id": id }))
        }
        "files.completeUploadExternal" => {
            let channel = text(arguments, "channel_id")?.to_owned();
            may_post(world, &channel)?;
            for file in arguments["files"].as_array().ok_or("invalid_arguments")? {
                let upload = world.uploads.remove(text(file, "id")?).ok_or("file_not_found")?;
                let content = upload.content.ok_or("file_not_found")?;
                if content.len() != upload.length {
                    return Err("file_update_failed".to_owned());
                }
                let thread = arguments["thread_ts"].as_str().map(str::to_owned);
                let ts = world.next_ts();
                // A file is shared by a message of its own.
                let shared = Posted {
                    channel: channel.clone(),
                    ts,
                    thread: thread.clone(),
                    text: String::new(),
                    blocks: json!([]),
                    metadata: Value::Null,
                    request: Value::Null,
                    edits: 0,
                    files: vec![upload.name.clone()],
                };
                world.channels.entry(channel.clone()).or_default().messages.push(shared);
                world.files.push(Shared { channel: channel.clone(), thread, name: upload.name, content });
            }
            Ok(json!({ "files": arguments["files"] }))
        }
        "usergroups.list" => Ok(json!({ "usergroups": world.usergroups })),
        "users.info" => Ok(json!({ "user": world.users.get(text(arguments, "user")?).ok_or("user_not_found")? })),
        "views.open" => {
            use_trigger(world, text(arguments, "trigger_id")?)?;
            check_view(world, &arguments["view"], "modal")?;
            world.views_opened.push(arguments["view"].clone());
            Ok(json!({ "view": { "id": format!("V{}", world.next()) } }))
        }
        "views.publish" => {
            check_view(world, &arguments["view"], "home")?;
            world.homes.push((text(arguments, "user_id")?.to_owned(), arguments["view"].clone()));
            Ok(json!({ "view": { "id": "VHOME" } }))
        }
        other => {
            world.problems.push(format!("{other} is called, which the fake does not know"));
            Err("unknown_method".to_owned())
        }
    }
}

fn may_post(world: &World, channel: &str) -> Result<(), String> {
    let channel = world.channels.get(channel).ok_or("channel_not_found")?;
    match (channel.is_archived, channel.bot_is_member) {
        (true, _) => Err("is_archived".to_owned()),
        (false, false) => Err("not_in_channel".to_owned()),
        (false, true) => Ok(()),
    }
}

fn check_content(world: &mut World, arguments: &Value) -> Result<(), String> {
    let text = arguments["text"].as_str().unwrap_or_default();
    let mut refuse = |why: String, code: &str| {
        world.problems.push(why);
        Err(code.to_owned())
    };
    if text.is_empty() || text.chars().count() > 40_000 {
        return refuse("a message without a text for notifications, or with too long a one".to_owned(), "no_text");
    }
    if arguments["link_names"] != json!(false) || arguments["parse"] != json!("none") {
        return refuse("a message in which Slack looks for names and links".to_owned(), "invalid_arguments");
    }
    // Without blocks it is plain text; an edit takes the old blocks away by naming none.
    let is_plain = arguments["blocks"].as_array().is_none_or(Vec::is_empty);
    if let Err(why) = blocks::check(&arguments["blocks"], false)
        && !is_plain
    {
        return refuse(why, "invalid_blocks");
    }
    let payload = &arguments["metadata"]["event_payload"];
    if payload.as_object().is_some_and(|payload| payload.values().any(|value| !value.is_string())) {
        return refuse("metadata that slack-morphism cannot read back".to_owned(), "invalid_metadata_format");
    }
    Ok(())
}

fn check_view(world: &mut World, view: &Value, kind: &str) -> Result<(), String> {
    let mut why = blocks::check(&view["blocks"], true).err();
    let title = view["title"]["text"].as_str().unwrap_or_default();
    if view["type"] != json!(kind) || (kind == "modal" && !(1..=24).contains(&title.chars().count())) {
        why = Some(format!("the view {view} is no {kind}, or its title has not 1 to 24 characters"));
    }
    match why {
        Some(why) => {
            world.problems.push(why);
            Err("invalid_arguments".to_owned())
        }
        None => Ok(()),
    }
}

fn use_trigger(world: &mut World, trigger: &str) -> Result<(), String> {
    let at = world.triggers.iter().position(|known| known == trigger).ok_or("invalid_trigger")?;
    world.triggers.remove(at);
    Ok(())
}

/// Pages of fifteen, so that looking for a message has to turn them.
fn history(world: &World, arguments: &Value, is_thread: bool) -> Result<Value, String> {
    let channel = world.channels.get(text(arguments, "channel")?).ok_or("channel_not_found")?;
    if !channel.bot_is_member {
        return Err("not_in_channel".to_owned());
    }
    let all: Vec<&Posted> = if is_thread {
        let root = text(arguments, "ts")?;
        channel.messages.iter().filter(|post| post.ts == root || post.thread.as_deref() == Some(root)).collect()
    } else {
        channel.messages.iter().rev().filter(|post| post.thread.is_none()).collect()
    };
    if is_thread && all.is_empty() {
        return Err("thread_not_found".to_owned());
    }
    let oldest = arguments["oldest"].as_str().unwrap_or_default().to_owned();
    // The root of a thread comes with every page, whatever is asked for.
    let all: Vec<&Posted> = all.into_iter().filter(|post| post.ts >= oldest || (is_thread && post.thread.is_none())).collect();
    let start: usize = arguments["cursor"].as_str().map_or(Ok(0), str::parse).map_err(|_| "invalid_cursor")?;
    let with_metadata = arguments["include_all_metadata"] == json!("true");
    let page: Vec<Value> = all
        .iter()
        .skip(start)
        .take(15)
        .map(|post| {
            let metadata = if with_metadata { post.metadata.clone() } else { Value::Null };
            let files: Vec<Value> = post.files.iter().map(|name| json!({ "id": "F1", "name": name, "title": name })).collect();
            json!({
                "ts": post.ts, "text": post.text, "blocks": post.blocks, "metadata": metadata, "bot_id": "BBOT", "files": files,
            })
        })
        .collect();
    let next = if start + 15 < all.len() { (start + 15).to_string() } else { String::new() };
    Ok(json!({ "messages": page, "response_metadata": { "next_cursor": next } }))
}

async fn upload(State(fake): State<FakeSlack>, Path(file): Path<String>, headers: HeaderMap, body: Bytes) -> StatusCode {
    fake.change(|world| {
        if headers.contains_key("authorization") {
            world.problems.push("the token was sent to an upload address".to_owned());
        }
        match world.uploads.get_mut(&file) {
            Some(upload) => {
                upload.content = Some(body.to_vec());
                StatusCode::OK
            }
            None => StatusCode::NOT_FOUND,
        }
    })
}

async fn respond(State(fake): State<FakeSlack>, Path(id): Path<String>, headers: HeaderMap, body: Bytes) -> Response {
    let fault = fake.change(|world| {
        let at = world.faults.iter().position(|(of, _)| of == "response_url");
        let once = at.map(|at| world.faults.remove(at).1);
        once.or_else(|| world.always.iter().find(|(of, _)| of == "response_url").map(|(_, fault)| fault.clone()))
    });
    match fault {
        Some(Fault::Status(status, _)) => return StatusCode::from_u16(status).unwrap().into_response(),
        Some(Fault::Hang) => std::future::pending::<()>().await,
        Some(other) => panic!("an address for answers does not know {other:?}"),
        None => {}
    }
    fake.change(|world| {
        if headers.contains_key("authorization") {
            world.problems.push("the token was sent to a response address".to_owned());
        }
        let answer: Value = serde_json::from_slice(&body).unwrap_or_default();
        if let Err(why) = blocks::check(&answer["blocks"], false) {
            world.problems.push(why);
        }
        if !world.response_urls.iter().any(|url| url.ends_with(&format!("/{id}"))) {
            return (StatusCode::NOT_FOUND, "expired_url").into_response();
        }
        world.ephemerals.push(answer);
        (StatusCode::OK, "ok").into_response()
    })
}
