//! What the error codes of Slack's Web API mean for us, one by one.
//!
//! Source: Slack, the reference page of each method that the bot calls, "Errors", as of August 2026. `tests/slack/refusals.rs`
//! walks through all of them.

use super::method::Method;

/// What follows from an error code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// No call will succeed before an operator acts.
    DeadToken,
    /// This method is not for us, here; a person or an operator can change that. What the person who asked is told.
    Closed(&'static str),
    /// The message or the thread is not there any more.
    Gone,
    /// A message that is made otherwise may be taken: without blocks, without metadata, shorter.
    Content,
    /// It is never taken, whatever is in it.
    Refused,
    /// Replies are not taken there; a message beside the thread may be.
    NoReplies,
    /// It may have been done.
    Uncertain,
    Passing,
}

const INVITE: &str = "I am not in this channel: invite me there with /invite @rotation-diag, and the thread follows by itself";
const UNSEEN: &str = "I cannot see this channel: invite me there with /invite @rotation-diag, and the thread follows by itself, or ask in another one";
const ARCHIVED: &str = "this channel is archived, and nothing can be posted in it: ask in another one, or have it unarchived";
const RESTRICTED: &str =
    "the settings of this channel or workspace do not let me post here: ask in another channel, or an admin to allow it";
const READ_ONLY: &str = "this channel is read-only: ask in another one, or an admin to let me post here";
const THREADS_ONLY: &str =
    "in this channel only threads that exist may be replied to, and I have to begin one: ask in another channel";
const NO_THREADS: &str = "this channel does not allow replies in threads: ask in another one";
const LOCKED: &str = "an admin has locked this thread: ask again in the channel, and a new one begins";
const SUSPENDED: &str = "the admins have suspended messages in this channel: ask in another one, or ask them";
const NO_WORKSPACE: &str = "I was not let into this workspace: an admin of the organization can grant me access to it";
const NO_APP: &str = "the settings of the workspace keep this app from being used: an admin can allow it";
const NO_NETWORK: &str = "Slack accepts nothing from the network I am in: the operator of rotation-diag has to look at that";
const TOO_MANY: &str = "the workspace has sent more messages than its plan allows: the thread follows when Slack takes more";
const NO_SCOPE: &str =
    "I lack a permission in Slack: the operator of rotation-diag has to install the app again with its manifest";
const WRONG_TOKEN: &str =
    "my token is of a kind that may not do this: the operator of rotation-diag has to give me the bot token";
const NOT_MEMBER: &str = "you are not in that channel, so I cannot answer you there";
const NO_FILES: &str = "the workspace's settings do not let me upload files: an admin can allow them";
const NO_ROOM: &str = "the workspace has no room for more files: an admin can make some";

/// What a code means, whatever the method, but for [`for_setup`].
pub(super) fn meaning(code: &str) -> Meaning {
    use Meaning::{Closed, Content, DeadToken, Gone, NoReplies, Passing, Refused, Uncertain};
    match code {
        "account_inactive" | "invalid_auth" | "not_authed" | "token_expired" | "token_revoked" => DeadToken,
        "not_in_channel" => Closed(INVITE),
        "channel_not_found" | "invalid_channel" | "channel_is_limited_access" | "no_permission" => Closed(UNSEEN),
        "is_archived" => Closed(ARCHIVED),
        "restricted_action" | "posting_to_channel_denied" | "send_on_behalf_not_allowed" => Closed(RESTRICTED),
        "restricted_action_read_only_channel" => Closed(READ_ONLY),
        "restricted_action_thread_only_channel" => Closed(THREADS_ONLY),
        "restricted_action_non_threadable_channel" | "cannot_reply_to_message" | "restricted_action_thread_locked" => NoReplies,
        "ekm_access_denied" => Closed(SUSPENDED),
        "team_access_not_granted" | "team_not_found" | "invalid_team" | "forbidden_team" => Closed(NO_WORKSPACE),
        "app_access_restricted" | "access_denied" | "enterprise_is_restricted" | "two_factor_setup_required" => Closed(NO_APP),
        "accesslimited" | "insecure_request" => Closed(NO_NETWORK),
        "message_limit_exceeded" => Closed(TOO_MANY),
        "missing_scope" => Closed(NO_SCOPE),
        "not_allowed_token_type" | "is_bot" => Closed(WRONG_TOKEN),
        "user_not_in_channel" => Closed(NOT_MEMBER),
        "file_uploads_disabled"
        | "file_uploads_except_images_disabled"
        | "file_type_not_allowed"
        | "blocked_file_type"
        | "slack_connect_blocked_file_type"
        | "slack_connect_file_upload_sharing_blocked"
        | "unable_to_share_files" => Closed(NO_FILES),
        "storage_limit_reached" | "file_share_limit_reached" | "max_file_sharing_exceeded" | "channels_limit_exceeded" => {
            Closed(NO_ROOM)
        }
        "message_not_found" | "thread_not_found" => Gone,
        "attachment_payload_limit_exceeded"
        | "block_mismatch"
        | "invalid_attachments"
        | "invalid_blocks"
        | "invalid_blocks_format"
        | "invalid_metadata_format"
        | "invalid_metadata_schema"
        | "markdown_text_conflict"
        | "metadata_must_be_sent_from_app"
        | "metadata_too_large"
        | "missing_file_data"
        | "msg_blocks_too_long"
        | "msg_too_long"
        | "no_text"
        | "slack_connect_canvas_sharing_blocked"
        | "slack_connect_clip_sharing_blocked"
        | "slack_connect_file_link_sharing_blocked"
        | "slack_connect_lists_sharing_blocked"
        | "too_many_attachments"
        | "too_many_contact_cards" => Content,
        "fatal_error" | "internal_error" | "request_timeout" => Uncertain,
        "external_channel_migrating"
        | "file_update_failed"
        | "hash_conflict"
        | "org_login_required"
        | "service_unavailable"
        | "streaming_state_conflict"
        | "team_added_to_org" => Passing,
        "alt_txt_too_large"
        | "as_user_not_supported"
        | "cant_broadcast_message"
        | "cant_update_message"
        | "deprecated_endpoint"
        | "draft_already_deleted"
        | "draft_already_sent"
        | "draft_has_conflict"
        | "draft_not_found"
        | "duplicate_channel_not_found"
        | "duplicate_external_id"
        | "duplicate_message_not_found"
        | "edit_window_closed"
        | "exchanged_trigger_id"
        | "expired_trigger_id"
        | "file_deleted"
        | "file_is_deleted"
        | "file_not_found"
        | "file_upload_size_restricted"
        | "invalid_arg_name"
        | "invalid_arguments"
        | "invalid_array_arg"
        | "invalid_charset"
        | "invalid_cursor"
        | "invalid_form_data"
        | "invalid_metadata_filter_keys"
        | "invalid_post_type"
        | "invalid_trigger"
        | "invalid_trigger_id"
        | "invalid_ts_latest"
        | "invalid_ts_oldest"
        | "is_inactive"
        | "list_record_comment_fetch_failed"
        | "messages_tab_disabled"
        | "method_deprecated"
        | "method_not_supported_for_channel_type"
        | "missing_args"
        | "missing_argument"
        | "missing_post_type"
        | "missing_profile_id"
        | "no_dual_broadcast_content_update"
        | "not_enabled"
        | "not_implemented"
        | "plan_upgrade_required"
        | "snippet_too_large"
        | "too_many_users"
        | "unknown_method"
        | "unknown_snippet_type"
        | "unknown_subtype"
        | "update_failed"
        | "user_not_found"
        | "user_not_visible"
        | "users_not_found"
        | "view_too_large" => Refused,
        // A code that nobody has seen yet may well pass.
        _ => Passing,
    }
}

/// What the person is told where a thread takes no replies and the channel takes no message beside it.
pub(super) fn without_replies(code: &str) -> &'static str {
    if code == "restricted_action_thread_locked" { LOCKED } else { NO_THREADS }
}

/// True for the calls a bot begins with, which tell an operator that it was set up wrongly: what another method merely may not
/// do, the bot cannot do without.
pub(super) fn for_setup(method: Method, code: &str) -> bool {
    matches!(method, Method::AuthTest | Method::AppsConnectionsOpen)
        && matches!(
            code,
            "access_denied"
                | "enterprise_is_restricted"
                | "forbidden_team"
                | "missing_scope"
                | "no_permission"
                | "not_allowed_token_type"
        )
}
