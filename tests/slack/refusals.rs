//! Every error code that Slack documents, and every fault of the way there, at every request of a flow: it ends with the verdict
//! somewhere, or with the person told why it does not come. Never in silence.

use crate::conversation::place;
use crate::fake_slack::{FakeSlack, Fault};
use crate::recording_intake::{Bot, lost, safe, sender};
use futures::StreamExt as _;
use rotation_diag::bot::{Delivery, DeliveryPolicy, Health};
use rotation_diag::chat::document::{Attachment, Content, Message, Tone};
use rotation_diag::chat::{ChatPlatform, Destination, Payload};
use rotation_diag::clock::Clock;
use rotation_diag::model::ReplyTo;
use rotation_diag::store::{DesiredMessage, NewThread, Store};
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// The codes on the page of every method. Source: Slack, the methods' reference pages, "Errors", August 2026; and some that are
/// answered without standing there.
const COMMON: &[&str] = &[
    "access_denied",
    "accesslimited",
    "account_inactive",
    "app_access_restricted",
    "deprecated_endpoint",
    "ekm_access_denied",
    "enterprise_is_restricted",
    "fatal_error",
    "internal_error",
    "invalid_arg_name",
    "invalid_array_arg",
    "invalid_auth",
    "invalid_charset",
    "invalid_form_data",
    "invalid_post_type",
    "is_bot",
    "method_deprecated",
    "missing_post_type",
    "missing_scope",
    "no_permission",
    "not_allowed_token_type",
    "not_authed",
    "org_login_required",
    "ratelimited",
    "request_timeout",
    "service_unavailable",
    "team_access_not_granted",
    "team_added_to_org",
    "token_expired",
    "token_revoked",
    "two_factor_setup_required",
    "unknown_method",
];

/// Those of `chat.postMessage` beside them.
const POST: &[&str] = &[
    "as_user_not_supported",
    "attachment_payload_limit_exceeded",
    "cannot_reply_to_message",
    "channel_is_limited_access",
    "channel_not_found",
    "draft_already_deleted",
    "draft_already_sent",
    "draft_has_conflict",
    "draft_not_found",
    "duplicate_channel_not_found",
    "duplicate_message_not_found",
    "invalid_attachments",
    "invalid_blocks",
    "invalid_blocks_format",
    "invalid_metadata_format",
    "invalid_metadata_schema",
    "is_archived",
    "markdown_text_conflict",
    "message_limit_exceeded",
    "messages_tab_disabled",
    "metadata_must_be_sent_from_app",
    "metadata_too_large",
    "missing_file_data",
    "msg_blocks_too_long",
    "msg_too_long",
    "no_text",
    "not_in_channel",
    "rate_limited",
    "restricted_action",
    "restricted_action_non_threadable_channel",
    "restricted_action_read_only_channel",
    "restricted_action_thread_locked",
    "restricted_action_thread_only_channel",
    "send_on_behalf_not_allowed",
    "slack_connect_canvas_sharing_blocked",
    "slack_connect_file_link_sharing_blocked",
    "slack_connect_lists_sharing_blocked",
    "team_not_found",
    "too_many_attachments",
    "too_many_contact_cards",
    "user_not_in_channel",
];

/// Those of `chat.update` beside them.
const UPDATE: &[&str] = &[
    "as_user_not_supported",
    "block_mismatch",
    "blocked_file_type",
    "cant_broadcast_message",
    "cant_update_message",
    "channel_is_limited_access",
    "channel_not_found",
    "edit_window_closed",
    "external_channel_migrating",
    "file_deleted",
    "file_is_deleted",
    "file_not_found",
    "file_share_limit_reached",
    "invalid_attachments",
    "invalid_blocks",
    "invalid_blocks_format",
    "invalid_metadata_format",
    "invalid_metadata_schema",
    "is_archived",
    "is_inactive",
    "markdown_text_conflict",
    "max_file_sharing_exceeded",
    "message_limit_exceeded",
    "message_not_found",
    "metadata_must_be_sent_from_app",
    "metadata_too_large",
    "msg_too_long",
    "no_dual_broadcast_content_update",
    "no_text",
    "not_in_channel",
    "posting_to_channel_denied",
    "slack_connect_blocked_file_type",
    "slack_connect_canvas_sharing_blocked",
    "slack_connect_clip_sharing_blocked",
    "slack_connect_file_link_sharing_blocked",
    "slack_connect_file_upload_sharing_blocked",
    "streaming_state_conflict",
    "team_not_found",
    "too_many_attachments",
    "unable_to_share_files",
    "update_failed",
];

/// Those of `chat.postEphemeral` beside them.
const EPHEMERAL: &[&str] = &[
    "cannot_reply_to_message",
    "channel_is_limited_access",
    "channel_not_found",
    "invalid_attachments",
    "invalid_blocks",
    "invalid_blocks_format",
    "is_archived",
    "markdown_text_conflict",
    "message_limit_exceeded",
    "messages_tab_disabled",
    "msg_too_long",
    "no_text",
    "not_in_channel",
    "restricted_action",
    "too_many_attachments",
    "user_not_in_channel",
];

/// Those of `conversations.history` beside them.
const HISTORY: &[&str] = &[
    "channel_is_limited_access",
    "channel_not_found",
    "invalid_cursor",
    "invalid_metadata_filter_keys",
    "invalid_ts_latest",
    "invalid_ts_oldest",
    "not_in_channel",
];

/// Those of `conversations.replies` beside them.
const REPLIES: &[&str] = &[
    "channel_is_limited_access",
    "channel_not_found",
    "invalid_cursor",
    "invalid_metadata_filter_keys",
    "invalid_ts_latest",
    "invalid_ts_oldest",
    "list_record_comment_fetch_failed",
    "method_not_supported_for_channel_type",
    "not_in_channel",
    "thread_not_found",
];

/// Those of `files.getUploadURLExternal` beside them.
const UPLOAD: &[&str] = &[
    "alt_txt_too_large",
    "file_type_not_allowed",
    "file_upload_size_restricted",
    "file_uploads_disabled",
    "file_uploads_except_images_disabled",
    "missing_argument",
    "snippet_too_large",
    "storage_limit_reached",
    "unknown_snippet_type",
    "unknown_subtype",
];

/// Those of `files.completeUploadExternal` beside them.
const COMPLETE: &[&str] = &[
    "channel_is_limited_access",
    "channel_not_found",
    "channels_limit_exceeded",
    "file_not_found",
    "file_type_not_allowed",
    "file_update_failed",
    "file_uploads_disabled",
    "file_uploads_except_images_disabled",
    "invalid_blocks",
    "invalid_channel",
    "is_archived",
    "not_in_channel",
    "posting_to_channel_denied",
];

/// Those of `views.open` beside them.
const OPEN: &[&str] = &[
    "duplicate_external_id",
    "exchanged_trigger_id",
    "expired_trigger_id",
    "invalid_trigger",
    "invalid_trigger_id",
    "view_too_large",
];

/// Codes that ask to come back later, as Slack sends them: with a status and a wait.
const LATER: [&str; 2] = ["ratelimited", "rate_limited"];

/// How often it is looked whether something has happened.
const LOOK: Duration = Duration::from_millis(10);

fn policy() -> DeliveryPolicy {
    DeliveryPolicy {
        first_wait: Duration::from_millis(5),
        longest_wait: Duration::from_millis(40),
        between_edits: Duration::from_millis(5),
        at_once: 8,
        call: Duration::from_secs(10),
        locked_out: Duration::from_millis(50),
    }
}

/// The flow of a question: progress becomes the verdict, and a report with a file follows.
struct Flow {
    fake: FakeSlack,
    store: Arc<Store>,
    stop: CancellationToken,
    running: tokio::task::JoinHandle<()>,
    reply_to: ReplyTo,
    _folder: tempfile::TempDir,
}

impl Flow {
    async fn start(fake: FakeSlack, channel: &str, has_response_url: bool) -> Flow {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(Store::open(&folder.path().join("store.db"), Clock::system()).await.unwrap());
        let slack: Arc<dyn ChatPlatform> = Arc::new(sender(&fake));
        let stop = CancellationToken::new();
        let delivery = Delivery::new(Arc::clone(&store), Health::default(), policy());
        let running = tokio::spawn(delivery.run(vec![slack], stop.clone()));
        let mut reply = json!({ "channel": channel, "user": "U1" });
        if has_response_url {
            reply["response_url"] = json!(fake.response_url());
        }
        let reply_to = ReplyTo(reply.to_string());
        let new = NewThread { id: "t".parse().unwrap(), place: place(channel, None) };
        let progress =
            DesiredMessage::root(&"t".parse().unwrap(), Message::line(Tone::Working, safe("PROGRESS")), "a test").as_progress();
        store.open_thread(&new, &[progress.asked_by(Some(reply_to.clone()))]).await.unwrap();
        Flow { fake, store, stop, running, reply_to, _folder: folder }
    }

    fn is_told(&self) -> bool {
        !self.fake.world().ephemerals.is_empty()
    }

    fn shows(&self, text: &str) -> bool {
        let world = self.fake.world();
        world.channels.values().flat_map(|channel| &channel.messages).any(|post| post.text.contains(text))
    }

    async fn until(&self, what: &str, is_so: impl Fn(&Flow) -> bool) -> Result<(), String> {
        let waiting = async {
            let mut look = tokio::time::interval(LOOK);
            while !is_so(self) {
                look.tick().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(40), waiting).await.map_err(|_| format!("in silence: {what}"))
    }

    async fn goes_on(&self) -> Result<(), String> {
        self.until("no first sign", |flow| flow.shows("PROGRESS") || flow.is_told()).await?;
        let verdict = DesiredMessage::root(&"t".parse().unwrap(), Message::line(Tone::Bad, safe("VERDICT")), "a test");
        let attachment =
            Attachment { name: "report.json".to_owned(), description: safe("a"), content: Content::Text(safe("{}")) };
        let report = Message { attachments: vec![attachment], ..Message::line(Tone::Neutral, safe("REPORT")) };
        let report =
            DesiredMessage::reply(&"t".parse().unwrap(), "export-1", report, "a test").asked_by(Some(self.reply_to.clone()));
        self.store.upsert_messages(&[verdict, report]).await.unwrap();
        self.until("no verdict", |flow| flow.shows("VERDICT") || flow.is_told()).await?;
        self.until("no report", |flow| flow.shows("REPORT") || flow.is_told()).await?;
        let has_file = |flow: &Flow| !flow.fake.world().files.is_empty();
        self.until("no file", |flow| has_file(flow) || flow.shows("is missing here") || flow.is_told()).await
    }

    async fn end(self) -> FakeSlack {
        self.stop.cancel();
        let _ = tokio::time::timeout(Duration::from_secs(20), self.running).await;
        self.fake
    }
}

/// What goes wrong, and whether it does so every time.
fn faults(codes: &[&'static str]) -> Vec<(Fault, bool)> {
    let mut all = vec![
        (Fault::Status(500, Vec::new()), false),
        (Fault::Status(500, Vec::new()), true),
        (Fault::Status(403, Vec::new()), true),
        (Fault::Status(429, vec![("retry-after", "1")]), false),
        (Fault::LostAfterwards, false),
        (Fault::Hang, false),
        (Fault::HangAfterwards, false),
        (Fault::Body("text/html", "<html>maintenance</html>"), false),
    ];
    for code in COMMON.iter().chain(codes).filter(|code| !LATER.contains(code)) {
        all.extend([(Fault::Code(code), false), (Fault::Code(code), true)]);
    }
    all
}

async fn no_fault_of_ends_in_silence(method: &'static str, codes: &[&'static str], after_a_lost_post: bool) {
    let cases = futures::stream::iter(faults(codes)).map(|(fault, is_always)| async move {
        let fake = FakeSlack::start().await;
        if after_a_lost_post {
            fake.fault("chat.postMessage", Fault::LostAfterwards);
            fake.fault("chat.postMessage", Fault::LostAfterwards);
        }
        if is_always {
            fake.always(method, fault.clone())
        } else {
            fake.fault(method, fault.clone())
        }
        let flow = Flow::start(fake, "C1", true).await;
        let went = flow.goes_on().await;
        let calls = flow.fake.calls(method);
        flow.end().await;
        match went {
            Ok(()) if calls == 0 => Some(format!("{method} was never called for {fault:?}")),
            Ok(()) => None,
            Err(why) => Some(format!("{method} {fault:?}, always: {is_always}: {why}")),
        }
    });
    let silent: Vec<String> = cases.buffer_unordered(24).filter_map(|case| async move { case }).collect().await;
    assert!(silent.is_empty(), "{silent:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_fault_of_a_post_ends_in_silence() {
    no_fault_of_ends_in_silence("chat.postMessage", POST, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_fault_of_an_edit_ends_in_silence() {
    no_fault_of_ends_in_silence("chat.update", UPDATE, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_fault_of_an_upload_ends_in_silence() {
    no_fault_of_ends_in_silence("files.getUploadURLExternal", UPLOAD, false).await;
    no_fault_of_ends_in_silence("files.completeUploadExternal", COMPLETE, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_fault_of_a_look_for_a_lost_message_ends_in_silence_or_stops_the_others() {
    no_fault_of_ends_in_silence("conversations.history", HISTORY, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_fault_of_a_look_for_a_lost_reply_ends_in_silence() {
    let cases = futures::stream::iter(faults(REPLIES)).map(|(fault, is_always)| async move {
        let flow = Flow::start(FakeSlack::start().await, "C1", true).await;
        let first = flow.until("no first sign", |flow| flow.shows("PROGRESS")).await;
        flow.fake.fault("chat.postMessage", Fault::LostAfterwards);
        let method = "conversations.replies";
        if is_always {
            flow.fake.always(method, fault.clone())
        } else {
            flow.fake.fault(method, fault.clone())
        }
        let went = first.and(flow.goes_on().await);
        flow.end().await;
        went.err().map(|why| format!("{fault:?}, always: {is_always}: {why}"))
    });
    let silent: Vec<String> = cases.buffer_unordered(24).filter_map(|case| async move { case }).collect().await;
    assert!(silent.is_empty(), "{silent:#?}");
}

/// A channel that takes nothing: the person is told, whatever happens to the first and the second way to do so.
#[tokio::test(flavor = "multi_thread")]
async fn no_fault_of_an_answer_to_one_person_ends_in_silence() {
    let mut all: Vec<(&str, bool, Fault, bool)> = Vec::new();
    for (fault, is_always) in faults(EPHEMERAL) {
        // Without a token nobody can be told but where the question came from.
        let needs_url = is_always && matches!(&fault, Fault::Code(code) if DEAD.contains(code));
        // Slack in trouble for good is waited for.
        let passes = is_always
            && (matches!(fault, Fault::Status(500, _)) || matches!(&fault, Fault::Code(code) if PASSING.contains(code)));
        if !passes {
            all.push(("chat.postEphemeral", needs_url, fault, is_always));
        }
    }
    for status in [403, 404, 410, 500, 503] {
        all.extend([false, true].map(|is_always| ("response_url", true, Fault::Status(status, Vec::new()), is_always)));
    }
    all.push(("response_url", true, Fault::Hang, false));
    let cases = futures::stream::iter(all).map(|(method, has_url, fault, is_always)| async move {
        let fake = FakeSlack::start().await;
        if is_always {
            fake.always(method, fault.clone())
        } else {
            fake.fault(method, fault.clone())
        }
        let flow = Flow::start(fake, "C3", has_url).await;
        let went = flow.until("nobody was told", Flow::is_told).await;
        let told = flow.fake.world().ephemerals.first().map(ToString::to_string).unwrap_or_default();
        flow.end().await;
        match went {
            Ok(()) if told.contains("/invite @rotation-diag") => None,
            Ok(()) => Some(format!("{method} {fault:?}: {told}")),
            Err(why) => Some(format!("{method} {fault:?}, always: {is_always}: {why}")),
        }
    });
    let silent: Vec<String> = cases.buffer_unordered(24).filter_map(|case| async move { case }).collect().await;
    assert!(silent.is_empty(), "{silent:#?}");
}

const DEAD: [&str; 5] = ["account_inactive", "invalid_auth", "not_authed", "token_expired", "token_revoked"];
const PASSING: [&str; 6] =
    ["fatal_error", "internal_error", "request_timeout", "service_unavailable", "team_added_to_org", "org_login_required"];

#[tokio::test]
async fn no_refusal_to_open_the_dialog_ends_in_silence() {
    let bot = Bot::start().await;
    for code in COMMON.iter().chain(OPEN).filter(|code| !LATER.contains(code)) {
        bot.fake.fault("views.open", Fault::Code(code));
        let command = bot.fake.deliver("slash_commands", bot.fake.command_payload("U1", "C1", ""));
        bot.fake.acknowledged(&command).await;
        let send_ephemeral = bot.fake.next_whisper().await;
        let text = send_ephemeral["text"].as_str().unwrap();
        let expected = if DEAD.contains(code) { "no longer accepts my token" } else { "could not be opened" };
        assert!(text.contains(expected), "{code}: {text}");
        // Another call comes through, so the token works.
        let nothing = Message::line(Tone::Neutral, safe("x"));
        bot.slack.find(&Destination::Channel(place("C1", None)), &lost("k", &nothing)).await.unwrap();
    }
    assert!(bot.intake.heard().iter().all(|inbound| inbound.said != Payload::Words(String::new())));
    bot.fake.world().triggers.clear();
    bot.finish().await;
}

/// What the person reads for each way in which a place can be closed.
#[tokio::test(flavor = "multi_thread")]
async fn each_closed_place_is_told_with_its_own_reason_and_way_on() {
    let closed = [
        ("not_in_channel", "I am not in this channel", "/invite @rotation-diag"),
        ("channel_not_found", "I cannot see this channel", "/invite @rotation-diag"),
        ("channel_is_limited_access", "I cannot see this channel", "/invite @rotation-diag"),
        ("is_archived", "is archived", "ask in another one, or have it unarchived"),
        ("restricted_action", "do not let me post here", "ask in another channel, or an admin to allow it"),
        ("restricted_action_read_only_channel", "is read-only", "ask in another one"),
        ("restricted_action_thread_only_channel", "only threads that exist", "ask in another channel"),
        ("ekm_access_denied", "admins have suspended messages", "ask in another one, or ask them"),
        ("team_access_not_granted", "not let into this workspace", "an admin of the organization can grant me access"),
        ("message_limit_exceeded", "more messages than its plan allows", "the thread follows"),
        ("missing_scope", "I lack a permission in Slack", "install the app again"),
        ("not_allowed_token_type", "my token is of a kind", "give me the bot token"),
    ];
    let mut sentences = BTreeSet::new();
    for (code, reason, way_on) in closed {
        let fake = FakeSlack::start().await;
        fake.always("chat.postMessage", Fault::Code(code));
        let flow = Flow::start(fake, "C1", true).await;
        flow.until("nobody was told", Flow::is_told).await.unwrap();
        let send_ephemeral = flow.fake.next_whisper().await;
        let text = send_ephemeral["text"].as_str().unwrap().to_owned();
        let lower = text.to_lowercase();
        assert!(lower.contains(&reason.to_lowercase()) && lower.contains(&way_on.to_lowercase()), "{code}: {text}");
        assert!(code.starts_with("not_in") || code.starts_with("channel_") || !text.contains("/invite"), "{code}: {text}");
        sentences.insert(text);
        flow.end().await;
    }
    assert_eq!(sentences.len(), 11, "only what cannot be told apart shares a sentence");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_that_slack_carries_out_late_does_not_keep_the_verdict_away() {
    let flow = Flow::start(FakeSlack::start().await, "C1", true).await;
    flow.until("no first sign", |flow| flow.shows("PROGRESS")).await.unwrap();
    let now = Arc::new(Notify::new());
    flow.fake.fault("chat.update", Fault::Late(Arc::clone(&now)));
    let further =
        DesiredMessage::root(&"t".parse().unwrap(), Message::line(Tone::Working, safe("FURTHER")), "a test").as_progress();
    flow.store.upsert_messages(&[further]).await.unwrap();
    flow.until("no edit", |flow| flow.fake.calls("chat.update") > 0).await.unwrap();
    let verdict = DesiredMessage::root(&"t".parse().unwrap(), Message::line(Tone::Bad, safe("VERDICT")), "a test");
    flow.store.upsert_messages(&[verdict]).await.unwrap();
    flow.until("no verdict", |flow| flow.shows("VERDICT")).await.unwrap();
    now.notify_one();
    flow.until("the late edit", |flow| flow.shows("FURTHER")).await.unwrap();
    flow.until("the verdict put back", |flow| flow.shows("VERDICT")).await.unwrap();
    flow.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_file_of_a_message_whose_answer_was_lost_follows_it() {
    let flow = Flow::start(FakeSlack::start().await, "C1", true).await;
    flow.until("no first sign", |flow| flow.shows("PROGRESS")).await.unwrap();
    flow.fake.fault("chat.postMessage", Fault::LostAfterwards);
    flow.fake.fault("files.completeUploadExternal", Fault::LostAfterwards);
    flow.goes_on().await.unwrap();
    let is_settled = async {
        let mut look = tokio::time::interval(LOOK);
        while flow.store.pending_messages().await.unwrap() > 0 {
            look.tick().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(40), is_settled).await.unwrap();
    let fake = flow.end().await;
    assert_eq!(fake.world().files.len(), 1, "once: {:?}", fake.world().files);
    let reports = fake.world().channels["C1"].messages.iter().filter(|post| post.text.contains("REPORT")).count();
    assert_eq!(reports, 1);
}

/// What one method may not do stops nothing else.
#[tokio::test(flavor = "multi_thread")]
async fn a_scope_that_is_missing_for_one_method_stops_no_other_thread() {
    let fake = FakeSlack::start().await;
    fake.always("conversations.history", Fault::Code("missing_scope"));
    fake.fault("chat.postMessage", Fault::LostAfterwards);
    let flow = Flow::start(fake, "C1", true).await;
    flow.goes_on().await.unwrap();
    let new = NewThread { id: "t2".parse().unwrap(), place: place("C2", None) };
    let root = DesiredMessage::root(&"t2".parse().unwrap(), Message::line(Tone::Bad, safe("ANOTHER")), "a test");
    flow.store.open_thread(&new, &[root]).await.unwrap();
    flow.until("the other thread", |flow| flow.shows("ANOTHER")).await.unwrap();
    flow.end().await;
}
