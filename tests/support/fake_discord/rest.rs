//! The REST interface.

use super::reading::is_laid_out;
use super::world::{APPLICATION, BOT, Channel, Fault, GUILD, Lacking, World};
use super::{Event, check, multipart};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse as _, Response};
use rotation_diag::clock::this_instant;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

type Shared = Arc<Mutex<World>>;

/// The body of a request, and its files.
struct RequestBody {
    body: Value,
    files: Vec<(String, Vec<u8>)>,
}

/// A status with Discord's code.
struct Refused(u16, u64);

pub(super) fn routes(world: Shared) -> Router {
    Router::new().fallback(answer).with_state(world)
}

async fn answer(State(world): State<Shared>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let bytes = axum::body::to_bytes(body, 64 << 20).await.unwrap();
    match respond(&world, &parts, &bytes) {
        Some(response) => response,
        None => std::future::pending().await,
    }
}

/// The answer to a request, where there is ever one.
fn respond(world: &Mutex<World>, parts: &Parts, bytes: &Bytes) -> Option<Response> {
    let method = parts.method.as_str().to_owned();
    let path = parts.uri.path().to_owned();
    let header = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut world = world.lock().unwrap();
    world.requests.push(format!("{method} {path}"));
    world.noted();
    let Some(path) = path.strip_prefix("/api/v10").map(str::to_owned) else {
        world.violations.push(format!("{method} {path}: another version"));
        return Some(StatusCode::NOT_FOUND.into_response());
    };
    let fault = world.take_fault(&method, &path);
    if let Some(Fault::Refuse { status, body, headers }) = &fault {
        let mut response = (StatusCode::from_u16(*status).unwrap(), body.clone()).into_response();
        for (name, value) in headers {
            response.headers_mut().insert(*name, value.parse().unwrap());
        }
        return Some(response);
    }
    if matches!(fault, Some(Fault::LoseRequest)) {
        return Some(broken());
    }
    if !header("user-agent").starts_with("DiscordBot (") {
        world.violations.push("no user agent".to_owned());
    }
    if !bytes.is_empty() && header("content-length") != bytes.len().to_string() {
        world.violations.push(format!("{method} {path}: the body is not as long as it says"));
    }
    let by_token = path.starts_with("/webhooks/") || path.starts_with("/interactions/");
    if !by_token && header("authorization") != format!("Bot {}", world.token) {
        return Some(refusal(&Refused(401, 0)));
    }
    if by_token && !header("authorization").is_empty() {
        world.violations.push(format!("{method} {path}: the bot's token has no place there"));
    }
    let sent = match read(header("content-type"), bytes) {
        Some(sent) => sent,
        None => {
            world.violations.push(format!("{method} {path}: the body cannot be read"));
            return Some(refusal(&Refused(400, 50_109)));
        }
    };
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    let query = url::form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes());
    let result = world.take(&method, &segments, &query.into_owned().collect(), sent);
    Some(match (result, fault) {
        (_, Some(Fault::Hang)) => return None,
        (_, Some(Fault::LoseAnswer)) => broken(),
        (Ok(Value::Null), _) => StatusCode::NO_CONTENT.into_response(),
        (Ok(body), _) => body.to_string().into_response(),
        (Err(refused), _) => refusal(&refused),
    })
}

/// An answer that breaks off.
fn broken() -> Response {
    Response::new(Body::from_stream(futures::stream::once(async { Err::<Bytes, _>(std::io::Error::other("lost")) })))
}

/// A message as it is kept: it always has a text and a list of embeds.
fn as_kept(mut message: Value) -> Value {
    for (field, nothing) in [("content", json!("")), ("embeds", json!([]))] {
        if message[field].is_null() {
            message[field] = nothing;
        }
    }
    message
}

fn is_empty(value: &Value) -> bool {
    value.is_null() || value == &json!("") || value == &json!([])
}

fn names(sent: &RequestBody) -> Vec<&str> {
    sent.files.iter().map(|(name, _)| name.as_str()).collect()
}

/// A message as it is fetched: its nonce is not kept.
fn as_read(mut message: Value) -> Value {
    message.as_object_mut().unwrap().remove("nonce");
    message
}

fn refusal(Refused(status, code): &Refused) -> Response {
    let body = json!({ "message": "refused by the fake", "code": code }).to_string();
    (StatusCode::from_u16(*status).unwrap(), body).into_response()
}

fn read(content_type: &str, bytes: &[u8]) -> Option<RequestBody> {
    if bytes.is_empty() {
        return Some(RequestBody { body: Value::Null, files: Vec::new() });
    }
    if content_type.starts_with("multipart/form-data") {
        let (body, files) = multipart::read(content_type, bytes)?;
        return Some(RequestBody { body, files });
    }
    let body = serde_json::from_slice(bytes).ok().filter(|_| content_type == "application/json")?;
    Some(RequestBody { body, files: Vec::new() })
}

impl World {
    fn take(
        &mut self,
        method: &str,
        path: &[&str],
        query: &BTreeMap<String, String>,
        sent: RequestBody,
    ) -> Result<Value, Refused> {
        let id = |text: &str| text.parse::<u64>().map_err(|_| Refused(400, 50_035));
        match (method, path) {
            ("GET", ["gateway", "bot"]) => Ok(json!({
                "url": self.gateway_url, "shards": 1,
                "session_start_limit": {
                    "total": 1_000, "remaining": self.sessions_left, "max_concurrency": 1,
                    "reset_after": self.sessions_after.saturating_duration_since(this_instant()).as_millis() as u64,
                },
            })),
            ("GET", ["users", "@me"]) => Ok(json!({ "id": BOT.to_string(), "username": "rotation", "bot": true })),
            ("GET", ["users", "@me", "guilds"]) => {
                Ok(self.guilds.iter().map(|id| json!({ "id": id.to_string(), "name": "Example" })).collect())
            }
            ("POST", ["users", "@me", "channels"]) => {
                let person = id(sent.body["recipient_id"].as_str().unwrap_or_default())?;
                let channel = self.new_id();
                let channel = *self.direct.entry(person).or_insert(channel);
                self.channels.entry(channel).or_insert_with(|| Channel::of_kind(1, None));
                Ok(json!({ "id": channel.to_string(), "type": 1 }))
            }
            ("GET", ["oauth2", "applications", "@me"]) => Ok(self.application()),
            ("GET", ["channels", channel]) => {
                let channel_id = id(channel)?;
                Ok(self.described(channel_id, self.channel(channel_id)?))
            }
            ("GET", ["guilds", guild, "roles"]) => self.roles(id(guild)?).map_err(|(status, code)| Refused(status, code)),
            ("GET", ["guilds", guild, "members", user]) => {
                self.member(id(guild)?, id(user)?).map_err(|(status, code)| Refused(status, code))
            }
            ("GET", ["applications", _, "commands"]) => Ok(self.commands.get(&None).cloned().unwrap_or_else(|| json!([]))),
            ("GET", ["applications", _, "guilds", guild, "commands"]) => {
                self.commands_of(id(guild)?).map_err(|(status, code)| Refused(status, code))
            }
            ("PATCH", ["channels", channel]) => self.change_channel(id(channel)?, &sent),
            ("GET", ["channels", channel, "messages"]) => {
                let channel = self.channel(id(channel)?)?;
                if channel.lacking.contains(&Lacking::History) {
                    return Ok(json!([]));
                }
                // Source: Discord developer documentation, "Get Channel Messages": the newest, or those that follow one.
                let limit = query.get("limit").map_or(50, |limit| limit.parse().unwrap());
                let mut found: Vec<Value> = match query.get("after") {
                    Some(after) => {
                        let after: u64 = after.parse().unwrap();
                        channel.messages.range(after + 1..).take(limit).map(|(_, message)| message.clone()).collect()
                    }
                    None => channel.messages.values().rev().take(limit).rev().cloned().collect(),
                };
                found.reverse();
                Ok(found.into_iter().map(as_read).collect())
            }
            ("POST", ["channels", channel, "messages"]) => self.post(id(channel)?, sent),
            ("GET", ["channels", channel, "messages", message]) => Ok(as_read(self.message(id(channel)?, id(message)?)?.clone())),
            ("PATCH", ["channels", channel, "messages", message]) => self.edit(id(channel)?, id(message)?, sent),
            ("DELETE", ["channels", channel, "messages", message]) => self.delete(id(channel)?, id(message)?),
            ("POST", ["channels", forum, "threads"]) => self.open_post(id(forum)?, sent),
            ("GET", ["guilds", guild, "threads", "active"]) if id(guild)? == GUILD => Ok(self.active_threads()),
            ("POST", ["channels", channel, "messages", message, "threads"]) => {
                self.open_thread(id(channel)?, id(message)?, &sent)
            }
            ("POST", ["interactions", interaction, token, "callback"]) => self.call_back(id(interaction)?, token, sent),
            ("POST", ["webhooks", application, token]) => self.follow_up(id(application)?, token, sent),
            ("PATCH", ["webhooks", application, token, "messages", "@original"]) => {
                self.edit_answer(id(application)?, token, sent)
            }
            ("PUT", ["applications", application, "commands"]) => self.register(id(application)?, None, sent),
            ("PUT", ["applications", application, "guilds", guild, "commands"]) => {
                self.register(id(application)?, Some(id(guild)?), sent)
            }
            _ => {
                self.violations.push(format!("{method} /{}: no such operation", path.join("/")));
                Err(Refused(404, 0))
            }
        }
    }

    fn channel(&self, id: u64) -> Result<&Channel, Refused> {
        let channel = self.channels.get(&id).ok_or(Refused(404, 10_003))?;
        let inherits = channel.parent.and_then(|parent| self.channels.get(&parent));
        let is_hidden = |channel: &Channel| channel.lacking.contains(&Lacking::View);
        if is_hidden(channel) || inherits.is_some_and(is_hidden) { Err(Refused(403, 50_001)) } else { Ok(channel) }
    }

    fn message(&self, channel: u64, id: u64) -> Result<&Value, Refused> {
        self.channel(channel)?.messages.get(&id).ok_or(Refused(404, 10_008))
    }

    /// Refuses what is not valid, and remembers it.
    fn valid(&mut self, wrong: Vec<String>, what: &str) -> Result<(), Refused> {
        let is_valid = wrong.is_empty();
        self.violations.extend(wrong.into_iter().map(|wrong| format!("{what}: {wrong}")));
        if is_valid { Ok(()) } else { Err(Refused(400, 50_035)) }
    }

    /// Refuses what the bot may not do in a channel.
    fn permitted(&self, channel: u64, sent: &RequestBody) -> Result<(), Refused> {
        let channel = self.channel(channel)?;
        // Source: Discord developer documentation, "Inherited Permissions (Threads)": all but sending.
        let parent = channel.parent.and_then(|parent| self.channels.get(&parent));
        let lacks = |lacking| {
            channel.lacking.contains(&lacking)
                || (lacking != Lacking::Send && parent.is_some_and(|parent| parent.lacking.contains(&lacking)))
        };
        let has_embeds = sent.body["embeds"].as_array().is_some_and(|embeds| !embeds.is_empty());
        let sending = if channel.parent.is_some() { Lacking::SendInThreads } else { Lacking::Send };
        if lacks(sending) || (has_embeds && lacks(Lacking::Embed)) || (!sent.files.is_empty() && lacks(Lacking::Attach)) {
            return Err(Refused(403, 50_013));
        }
        if channel.locked {
            return Err(Refused(400, 160_005));
        }
        if matches!(channel.kind, 15 | 16) { Err(Refused(400, 50_008)) } else { Ok(()) }
    }

    /// Where no layouts are taken, they are not valid.
    fn takes_layouts(&self, message: &Value) -> Result<(), Refused> {
        if self.refuses_layouts && is_laid_out(message) { Err(Refused(400, 50_035)) } else { Ok(()) }
    }

    fn delete(&mut self, channel: u64, id: u64) -> Result<Value, Refused> {
        if self.message(channel, id)?["author"]["id"].as_str() != Some(BOT.to_string().as_str()) {
            return Err(Refused(403, 50_013));
        }
        self.channels.get_mut(&channel).unwrap().messages.remove(&id);
        self.happened(Event::Deleted { channel, id });
        Ok(Value::Null)
    }

    fn attachments(&mut self, sent: &RequestBody) -> Vec<Value> {
        let attachment = |(name, content): &(String, Vec<u8>)| json!({ "id": self.new_id().to_string(), "filename": name, "size": content.len() });
        sent.files.iter().map(attachment).collect()
    }

    fn post(&mut self, channel: u64, sent: RequestBody) -> Result<Value, Refused> {
        let mentions = self.may_mention.clone().unwrap_or_else(|| json!({ "parse": [] }));
        let calls = sent.body["content"].as_str().is_some_and(|content| content.contains("<@") || content.contains("@here "));
        let mentions = if calls { mentions } else { json!({ "parse": [] }) };
        let mut wrong = check::body("POST", "/channels/{channel_id}/messages", &sent.body);
        wrong.extend(check::message(&sent.body, &mentions, !sent.files.is_empty()));
        wrong.extend(check::shown_files(&sent.body, &names(&sent)));
        self.valid(wrong, "a new message")?;
        self.permitted(channel, &sent)?;
        self.takes_layouts(&sent.body)?;
        if let Some(message) = sent.body["message_reference"]["message_id"].as_str() {
            let is_there = self.message(channel, message.parse().unwrap()).is_ok();
            if !is_there && sent.body["message_reference"]["fail_if_not_exists"] != false {
                return Err(Refused(400, 50_035));
            }
        }
        let nonce = sent.body["nonce"].as_str().map(str::to_owned);
        if let Some((channel, id)) =
            nonce.as_ref().filter(|_| sent.body["enforce_nonce"] == true).and_then(|n| self.nonces.get(n))
        {
            // Source: discord/discord-api-docs, pull request 6647: one that was deleted since is unknown, and none is posted.
            return self.channels[channel].messages.get(id).cloned().ok_or(Refused(404, 10_008));
        }
        let id = self.new_id();
        let mut message = as_kept(sent.body.clone());
        message["id"] = id.to_string().into();
        message["channel_id"] = channel.to_string().into();
        message["author"] = json!({ "id": BOT.to_string(), "bot": true });
        message["attachments"] = self.attachments(&sent).into();
        if let Some(nonce) = nonce.filter(|_| !self.forgets_nonces) {
            self.nonces.insert(nonce, (channel, id));
        }
        let place = self.channels.get_mut(&channel).unwrap();
        place.archived = false;
        place.messages.insert(id, message.clone());
        self.happened(Event::Posted { channel, id, body: sent.body, files: sent.files });
        Ok(message)
    }

    fn edit(&mut self, channel: u64, id: u64, sent: RequestBody) -> Result<Value, Refused> {
        let mut wrong = check::body("PATCH", "/channels/{channel_id}/messages/{message_id}", &sent.body);
        wrong.extend(check::message(&sent.body, &json!({ "parse": [] }), !sent.files.is_empty()));
        self.valid(wrong, "an edited message")?;
        self.permitted(channel, &sent)?;
        if self.channel(channel)?.archived {
            return Err(Refused(400, 50_083));
        }
        let mut message = self.message(channel, id)?.clone();
        self.takes_layouts(&sent.body)?;
        // The flag cannot be taken away; and with it, text and embeds have to be gone.
        let says_otherwise = ["content", "embeds"].iter().any(|field| !is_empty(&sent.body[field]));
        let keeps_text = ["content", "embeds"].iter().any(|field| sent.body.get(field).is_none() && !is_empty(&message[field]));
        if is_laid_out(&message) && says_otherwise || is_laid_out(&sent.body) && keeps_text {
            return Err(Refused(400, 50_035));
        }
        let mut new = self.attachments(&sent).into_iter();
        if let Some(attachments) = sent.body["attachments"].as_array() {
            let before = message["attachments"].as_array().cloned().unwrap_or_default();
            let kept = attachments.iter().filter_map(|wanted| match wanted["filename"].as_str() {
                Some(_) => new.next(),
                None => before.iter().find(|attachment| attachment["id"] == wanted["id"]).cloned(),
            });
            message["attachments"] = kept.collect();
        }
        for field in ["content", "embeds", "components", "flags"] {
            if let Some(value) = sent.body.get(field) {
                message[field] = value.clone();
            }
        }
        let message = as_kept(message);
        let files = message["attachments"].as_array().cloned().unwrap_or_default();
        let names: Vec<&str> = files.iter().filter_map(|file| file["filename"].as_str()).collect();
        let unknown = check::shown_files(&sent.body, &names);
        self.valid(unknown, "an edited message")?;
        self.channels.get_mut(&channel).unwrap().messages.insert(id, message.clone());
        self.happened(Event::Edited { channel, id, body: sent.body, files: sent.files });
        Ok(message)
    }

    fn open_thread(&mut self, channel: u64, id: u64, sent: &RequestBody) -> Result<Value, Refused> {
        let mut wrong = check::body("POST", "/channels/{channel_id}/messages/{message_id}/threads", &sent.body);
        let name = sent.body["name"].as_str().unwrap_or_default().to_owned();
        wrong.extend(check::thread_name(&name));
        self.valid(wrong, "a thread")?;
        self.message(channel, id)?;
        let place = self.channel(channel)?;
        if place.lacking.contains(&Lacking::OpenThreads) {
            return Err(Refused(403, 50_013));
        }
        if !matches!(place.kind, 0 | 5) {
            return Err(Refused(400, 50_024));
        }
        if self.threads_full {
            return Err(Refused(400, 160_006));
        }
        if self.channels.contains_key(&id) {
            return Err(Refused(400, 160_004));
        }
        self.channels.insert(id, Channel { name: name.clone(), ..Channel::of_kind(11, Some(channel)) });
        self.happened(Event::ThreadOpened { channel, id, name });
        Ok(json!({ "id": id.to_string(), "type": 11, "parent_id": channel.to_string() }))
    }

    /// A forum's post: a thread, and its first message in it, with the same id.
    fn open_post(&mut self, forum: u64, sent: RequestBody) -> Result<Value, Refused> {
        let mentions = self.may_mention.clone().unwrap_or_else(|| json!({ "parse": [] }));
        let mut wrong = check::body("POST", "/channels/{channel_id}/threads", &sent.body);
        wrong.extend(check::message(&sent.body["message"], &mentions, !sent.files.is_empty()));
        wrong.extend(check::shown_files(&sent.body["message"], &names(&sent)));
        let name = sent.body["name"].as_str().unwrap_or_default().to_owned();
        wrong.extend(check::thread_name(&name));
        self.valid(wrong, "a post")?;
        self.takes_layouts(&sent.body["message"])?;
        let place = self.channel(forum)?;
        if !matches!(place.kind, 15 | 16) {
            return Err(Refused(400, 50_024));
        }
        if place.lacking.contains(&Lacking::Send) {
            return Err(Refused(403, 50_013));
        }
        if place.needs_tag && sent.body["applied_tags"].as_array().is_none_or(Vec::is_empty) {
            return Err(Refused(400, 40_067));
        }
        let id = self.new_id();
        let mut message = as_kept(sent.body["message"].clone());
        message["id"] = id.to_string().into();
        message["channel_id"] = id.to_string().into();
        message["author"] = json!({ "id": BOT.to_string(), "bot": true });
        message["attachments"] = self.attachments(&sent).into();
        let thread = Channel { name, messages: BTreeMap::from([(id, message)]), ..Channel::of_kind(11, Some(forum)) };
        self.channels.insert(id, thread);
        self.happened(Event::PostOpened { forum, id, body: sent.body, files: sent.files });
        Ok(json!({ "id": id.to_string(), "type": 11, "parent_id": forum.to_string() }))
    }

    fn active_threads(&self) -> Value {
        let threads = self.channels.iter().filter(|(_, channel)| channel.kind == 11 && !channel.archived);
        let threads: Vec<Value> = threads.map(|(id, channel)| self.described(*id, channel)).collect();
        json!({ "threads": threads, "members": [] })
    }

    fn change_channel(&mut self, id: u64, sent: &RequestBody) -> Result<Value, Refused> {
        self.valid(check::body("PATCH", "/channels/{channel_id}", &sent.body), "a thread's state")?;
        self.channel(id)?;
        let channel = self.channels.get_mut(&id).unwrap();
        if channel.locked {
            return Err(Refused(403, 50_013));
        }
        if let Some(name) = sent.body["name"].as_str() {
            let wrong = check::thread_name(name);
            channel.name = name.to_owned();
            self.valid(wrong, "a thread's name")?;
            self.happened(Event::Renamed { thread: id, name: name.to_owned() });
            return Ok(json!({ "id": id.to_string(), "type": 11 }));
        }
        channel.archived = sent.body["archived"] == true;
        self.happened(Event::Unarchived { thread: id });
        Ok(json!({ "id": id.to_string(), "type": 11 }))
    }

    fn call_back(&mut self, id: u64, token: &str, sent: RequestBody) -> Result<Value, Refused> {
        let body = sent.body;
        let mut wrong = check::body("POST", "/interactions/{interaction_id}/{interaction_token}/callback", &body);
        if body["type"] == 4 {
            wrong.extend(check::message(&body["data"], &json!({ "parse": [] }), false));
        }
        self.valid(wrong, "an answer")?;
        let said = self.said.get_mut(&id).filter(|said| said.token == token).ok_or(Refused(404, 10_062))?;
        if said.answered.is_some() {
            return Err(Refused(400, 40_060));
        }
        if this_instant() - said.at > Duration::from_secs(3) {
            return Err(Refused(404, 10_062));
        }
        said.answered = body["type"].as_u64();
        self.happened(Event::Answered { interaction: id, body });
        Ok(Value::Null)
    }

    fn answered(&mut self, application: u64, token: &str) -> Result<u64, Refused> {
        if application != APPLICATION {
            return Err(Refused(404, 10_015));
        }
        let said = self.said.iter().find(|(_, said)| said.token == token && !said.expired);
        said.and_then(|(id, said)| said.answered.map(|_| *id)).ok_or(Refused(404, 10_015))
    }

    fn follow_up(&mut self, application: u64, token: &str, sent: RequestBody) -> Result<Value, Refused> {
        let mut wrong = check::body("POST", "/webhooks/{webhook_id}/{webhook_token}", &sent.body);
        wrong.extend(check::message(&sent.body, &json!({ "parse": [] }), !sent.files.is_empty()));
        wrong.extend(check::shown_files(&sent.body, &names(&sent)));
        if sent.body["flags"].as_u64().is_none_or(|flags| flags & 64 == 0) {
            wrong.push("seen by everybody".to_owned());
        }
        self.valid(wrong, "a further answer")?;
        self.takes_layouts(&sent.body)?;
        let interaction = self.answered(application, token)?;
        let files = sent.files.iter().map(|(_, content)| String::from_utf8_lossy(content).into_owned());
        let told = std::iter::once(sent.body.to_string()).chain(files).collect::<Vec<_>>().join("\n");
        self.told.entry(interaction).or_default().push(told);
        self.happened(Event::FollowedUp { body: sent.body, files: sent.files });
        Ok(json!({ "id": self.new_id().to_string() }))
    }

    fn edit_answer(&mut self, application: u64, token: &str, sent: RequestBody) -> Result<Value, Refused> {
        let mut wrong = check::body("PATCH", "/webhooks/{webhook_id}/{webhook_token}/messages/@original", &sent.body);
        wrong.extend(check::message(&sent.body, &json!({ "parse": [] }), !sent.files.is_empty()));
        self.valid(wrong, "an edited answer")?;
        let id = self.answered(application, token)?;
        if self.said[&id].answered == Some(6) {
            self.violations.push("the message that was clicked would be edited".to_owned());
        }
        self.happened(Event::AnswerEdited { body: sent.body });
        Ok(json!({ "id": self.new_id().to_string() }))
    }

    fn register(&mut self, application: u64, guild: Option<u64>, sent: RequestBody) -> Result<Value, Refused> {
        let path = match guild {
            Some(_) => "/applications/{application_id}/guilds/{guild_id}/commands",
            None => "/applications/{application_id}/commands",
        };
        self.valid(check::body("PUT", path, &sent.body), "commands")?;
        if application != APPLICATION {
            return Err(Refused(403, 20_012));
        }
        let mut registered = sent.body.clone();
        for command in registered.as_array_mut().unwrap() {
            command["id"] = self.new_id().to_string().into();
        }
        self.commands.insert(guild, registered.clone());
        self.happened(Event::Registered { guild, body: sent.body });
        Ok(registered)
    }
}
