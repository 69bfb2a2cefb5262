//! Who is let in: what is looked up about a person, and people of elsewhere in a channel that is shared with them.

use crate::conversation::place;
use crate::fake_slack::{FakeSlack, Fault, OTHER_TEAM, STRANGER, TEAM};
use crate::recording_intake::{Bot, fast};
use rotation_diag::chat::document::Tone;
use rotation_diag::chat::{ChatPlatform as _, LostPost, Message, SendError};
use rotation_diag::model::{Actor, PlatformName, Standing};
use rotation_diag::platforms::slack::Lookups;
use serde_json::{Value, json};
use std::time::Duration;

const BOTH: Lookups = Lookups { groups: true, standing: true };

async fn workspace(lookups: Lookups) -> Bot {
    let fake = FakeSlack::start().await;
    {
        let mut world = fake.world();
        world.usergroups = vec![
            json!({ "id": "S1", "name": "sre", "users": ["U1", "U2"] }),
            json!({ "id": "S2", "name": "everyone else", "users": ["U2"] }),
            json!({ "id": "S3", "name": "empty" }),
        ];
        world.users.insert("UGUEST".to_owned(), json!({ "id": "UGUEST", "team_id": TEAM, "is_restricted": true }));
    }
    Bot::start_with(fake, 1, lookups, fast()).await
}

async fn asks(bot: &Bot, user: &str) -> Actor {
    let before = bot.intake.heard().len();
    let command = bot.fake.deliver("slash_commands", bot.fake.command_payload(user, "C1", "x"));
    bot.fake.acknowledged(&command).await;
    bot.intake.hears(before + 1).await.pop().unwrap().actor
}

async fn hears(bot: &Bot, kind: &str, payload: Value) -> Actor {
    let before = bot.intake.heard().len();
    let envelope = bot.fake.deliver(kind, payload);
    bot.fake.acknowledged(&envelope).await;
    bot.intake.hears(before + 1).await.pop().unwrap().actor
}

#[tokio::test]
async fn nothing_is_looked_up_that_no_rule_asks_for() {
    let bot = workspace(Lookups::default()).await;
    let actor = asks(&bot, "U1").await;
    assert_eq!((actor.groups, actor.standing), (None, Standing::Unknown));
    assert_eq!(bot.fake.calls("usergroups.list") + bot.fake.calls("users.info"), 0);
    bot.finish().await;
}

#[tokio::test]
async fn whoever_is_not_known_is_taken_at_once_and_looked_up_behind_the_acknowledgement() {
    let bot = workspace(BOTH).await;
    let actor = asks(&bot, "U1").await;
    assert_eq!((&actor.groups, actor.standing), (&None, Standing::Pending));
    assert_eq!(bot.fake.calls("usergroups.list") + bot.fake.calls("users.info"), 0, "an acknowledgement asks Slack nothing");
    let looked_up = bot.slack.look_up(&actor).await;
    assert_eq!((looked_up.actor.standing, looked_up.failed), (Standing::Member, None));
    assert_eq!(looked_up.actor.groups, Some(vec!["S1".to_owned()]));
    for _ in 0..3 {
        let actor = asks(&bot, "U1").await;
        assert_eq!((actor.groups, actor.standing), (Some(vec!["S1".to_owned()]), Standing::Member), "it is kept for a while");
    }
    let guest = asks(&bot, "UGUEST").await;
    assert_eq!(bot.slack.look_up(&guest).await.actor.standing, Standing::Outsider);
    assert_eq!(asks(&bot, "UGUEST").await.standing, Standing::Outsider);
    assert_eq!((bot.fake.calls("usergroups.list"), bot.fake.calls("users.info")), (1, 2));
    bot.finish().await;
}

#[tokio::test]
async fn a_slow_or_broken_web_api_holds_up_no_acknowledgement_and_a_failure_is_not_kept() {
    let bot = workspace(BOTH).await;
    bot.fake.fault("users.info", Fault::Hang);
    let actor = asks(&bot, "U1").await;
    let (hanging, second) = tokio::join!(bot.slack.look_up(&actor), asks(&bot, "U1"));
    assert_eq!((hanging.actor.standing, second.standing), (Standing::Unknown, Standing::Pending));
    assert!(matches!(hanging.failed, Some(SendError::Later { .. })), "{hanging:?}");
    for (fault, expected) in [
        (Fault::Status(500, Vec::new()), "later"),
        (Fault::Code("missing_scope"), "closed"),
        (Fault::Body("text/plain", "ok"), "later"),
        (Fault::Code("token_revoked"), "unauthorized"),
    ] {
        bot.fake.fault("users.info", fault);
        let looked_up = bot.slack.look_up(&actor).await;
        assert_eq!(looked_up.failed.map(|failed| failed.kind()), Some(expected));
        assert_eq!(looked_up.actor.standing, Standing::Unknown);
    }
    assert_eq!(bot.slack.look_up(&actor).await.actor.standing, Standing::Member);
    bot.finish().await;
}

/// What somebody of another organization can do in a channel that is shared, in every form in which Slack tells it.
fn by_a_stranger(bot: &Bot) -> Vec<(String, &'static str, Value)> {
    let fake = &bot.fake;
    let mut all = Vec::new();
    for names in [&["user_team"][..], &["source_team"], &["team"], &["envelope"], &["user_team", "team", "envelope"], &[]] {
        all.push((format!("a mention that names {names:?}"), "events_api", fake.strangers_mention("C1", "x", names)));
    }
    let action = json!({ "type": "button", "action_id": "act-0", "value": "x" });
    for teams in [(OTHER_TEAM, OTHER_TEAM), (TEAM, OTHER_TEAM), (OTHER_TEAM, TEAM)] {
        let mut click = fake.interaction(STRANGER, "C1", "1764000000.000001", None, action.clone());
        (click["team"]["id"], click["user"]["team_id"]) = (json!(teams.0), json!(teams.1));
        all.push((format!("a click that names {teams:?}"), "interactive", click));
    }
    let mut unnamed = fake.interaction(STRANGER, "C1", "1764000000.000001", None, action);
    (unnamed["team"], unnamed["user"]["team_id"]) = (Value::Null, Value::Null);
    all.push(("a click that names no workspace".to_owned(), "interactive", unnamed));
    let mut command = fake.command_payload(STRANGER, "C1", "x");
    command["team_id"] = json!(OTHER_TEAM);
    all.push(("a command".to_owned(), "slash_commands", command));
    let fields = [
        ("secret", json!({ "type": "plain_text_input", "value": "x" })),
        ("channel", json!({ "type": "conversations_select", "selected_conversation": "C1" })),
    ];
    let mut dialog = fake.submission(STRANGER, "investigate", &fields);
    (dialog["team"]["id"], dialog["user"]["team_id"]) = (json!(OTHER_TEAM), json!(OTHER_TEAM));
    all.push(("a dialog".to_owned(), "interactive", dialog));
    all
}

#[tokio::test]
async fn people_of_other_organizations_are_outsiders_in_every_form_in_which_slack_tells_it() {
    for lookups in [Lookups::default(), BOTH] {
        let bot = workspace(lookups).await;
        for (what, kind, payload) in by_a_stranger(&bot) {
            // The standing is forgotten between two of them only where it was looked up: a new bot for each would say the same.
            let actor = hears(&bot, kind, payload).await;
            assert_eq!((actor.workspace.as_str(), actor.user.as_str()), (TEAM, STRANGER), "{what}");
            let standing = match actor.standing {
                Standing::Pending => bot.slack.look_up(&actor).await.actor.standing,
                known => known,
            };
            assert_eq!(standing, Standing::Outsider, "{what}");
        }
        bot.fake.world().response_urls.clear();
        bot.finish().await;
    }
}

#[tokio::test]
async fn what_the_app_does_not_offer_is_acknowledged_and_does_nothing_for_anybody() {
    let bot = workspace(BOTH).await;
    for kind in ["shortcut", "message_action", "view_closed", "block_suggestion"] {
        for (user, team) in [(STRANGER, OTHER_TEAM), ("U1", TEAM)] {
            let payload = json!({
                "type": kind, "team": { "id": team }, "user": { "id": user, "team_id": team }, "callback_id": "investigate",
                "trigger_id": "1.x", "channel": { "id": "C1" }, "action_id": "act-0", "value": "prod",
                "view": { "id": "V1", "callback_id": "investigate", "state": { "values": {} } },
            });
            let envelope = bot.fake.deliver("interactive", payload);
            assert_eq!(bot.fake.acknowledged(&envelope).await, None, "{kind}");
        }
    }
    assert!(bot.intake.heard().is_empty());
    bot.finish().await;
}

#[tokio::test]
async fn a_known_stranger_gets_no_dialog_and_no_home() {
    let bot = workspace(BOTH).await;
    let mut command = bot.fake.command_payload(STRANGER, "C1", "");
    command["team_id"] = json!(OTHER_TEAM);
    let envelope = bot.fake.deliver("slash_commands", command);
    let answer = bot.fake.acknowledged(&envelope).await.unwrap();
    assert!(answer["text"].as_str().unwrap().contains("members of my own workspace only"), "{answer}");
    let mut click = bot.fake.home_click(STRANGER, "home-investigate");
    (click["team"]["id"], click["user"]["team_id"]) = (json!(OTHER_TEAM), json!(OTHER_TEAM));
    let envelope = bot.fake.deliver("interactive", click);
    bot.fake.acknowledged(&envelope).await;
    let send_ephemeral = bot.fake.next_whisper().await;
    assert_eq!(send_ephemeral["channel"], STRANGER, "there is no channel to answer in: {send_ephemeral}");
    assert_eq!(bot.fake.calls("views.open") + bot.fake.calls("views.publish"), 0);
    bot.finish().await;
}

#[tokio::test]
async fn an_event_for_another_installation_is_left_alone() {
    let bot = workspace(Lookups::default()).await;
    let mut payload = bot.fake.mention_payload("U1", "C1", "x", None);
    payload["authorizations"] = json!([{ "enterprise_id": null, "team_id": OTHER_TEAM, "user_id": "UOTHERBOT", "is_bot": true }]);
    let envelope = bot.fake.deliver("events_api", payload);
    bot.fake.acknowledged(&envelope).await;
    assert!(bot.intake.heard().is_empty());
    bot.finish().await;
}

#[tokio::test]
async fn in_an_organization_somebody_of_two_workspaces_is_a_member_and_somebody_of_the_other_is_not() {
    let fake = FakeSlack::start().await;
    fake.world().organization = Some(("E1".to_owned(), false));
    for (id, teams) in [("UBOTH", json!([OTHER_TEAM, TEAM])), ("UOTHER", json!([OTHER_TEAM]))] {
        let user = json!({ "id": id, "team_id": OTHER_TEAM, "enterprise_user": { "enterprise_id": "E1", "teams": teams } });
        fake.world().users.insert(id.to_owned(), user);
    }
    let bot = Bot::start_with(fake, 1, Lookups { groups: false, standing: true }, fast()).await;
    for (user, expected) in [("UBOTH", Standing::Member), ("UOTHER", Standing::Outsider)] {
        let mut payload = bot.fake.mention_payload(user, "C1", "x", None);
        payload["event"]["user_team"] = json!(OTHER_TEAM);
        let actor = hears(&bot, "events_api", payload).await;
        assert_eq!(actor.standing, Standing::Pending, "within one organization Slack has to tell");
        assert_eq!(bot.slack.look_up(&actor).await.actor.standing, expected, "{user}");
    }
    bot.finish().await;
}

#[tokio::test]
async fn an_app_of_a_whole_organization_serves_each_workspace_and_its_own_members() {
    let fake = FakeSlack::start().await;
    fake.world().organization = Some(("E1".to_owned(), true));
    for (id, own, teams) in [("UONE", TEAM, json!([TEAM])), ("UBOTH", OTHER_TEAM, json!([OTHER_TEAM, TEAM]))] {
        let user = json!({ "id": id, "team_id": own, "enterprise_user": { "enterprise_id": "E1", "teams": teams } });
        fake.world().users.insert(id.to_owned(), user);
    }
    let bot = Bot::start_with(fake, 1, Lookups::default(), fast()).await;
    bot.slack.introduce().await.unwrap();
    assert_eq!(bot.slack.workspace(), None, "it is in no workspace alone");
    assert!(bot.slack.whereabouts().unwrap().contains("in the organization E1"), "{:?}", bot.slack.whereabouts());
    let by = |user: &'static str, workspace: &'static str| {
        let mut command = bot.fake.command_payload(user, "C1", "x");
        (command["team_id"], command["is_enterprise_install"]) = (json!(workspace), json!("true"));
        let mut mention = bot.fake.mention_payload(user, "C1", "x", None);
        (mention["team_id"], mention["event"]["team"]) = (json!(workspace), json!(workspace));
        mention["authorizations"] =
            json!([{ "enterprise_id": "E1", "team_id": null, "user_id": "UBOT", "is_bot": true, "is_enterprise_install": true }]);
        let action = json!({ "type": "button", "action_id": "act-0", "value": "x" });
        let mut click = bot.fake.interaction(user, "C1", "1764000000.000001", None, action);
        let own = bot.fake.world().users[user]["team_id"].clone();
        (click["team"]["id"], click["user"]["team_id"], click["is_enterprise_install"]) = (json!(workspace), own, json!(true));
        [("slash_commands", command), ("events_api", mention), ("interactive", click)]
    };
    for (user, workspace, expected) in [
        ("UONE", TEAM, Standing::Member),
        ("UONE", OTHER_TEAM, Standing::Outsider),
        ("UBOTH", TEAM, Standing::Member),
        ("UBOTH", OTHER_TEAM, Standing::Member),
        (STRANGER, TEAM, Standing::Outsider),
    ] {
        for (kind, payload) in by(user, workspace) {
            let actor = hears(&bot, kind, payload).await;
            assert_eq!(actor.workspace, workspace, "{user}, {kind}: what is asked counts where it was asked");
            let standing = bot.slack.look_up(&actor).await.actor.standing;
            assert_eq!(standing, expected, "{user} in {workspace}, {kind}");
        }
    }
    bot.finish().await;
}

#[tokio::test]
async fn who_is_said_to_be_of_another_workspace_than_the_bots_is_nobodys_member() {
    let bot = workspace(BOTH).await;
    let actor = Actor {
        platform: PlatformName::new("slack"),
        workspace: OTHER_TEAM.to_owned(),
        user: STRANGER.to_owned(),
        groups: None,
        standing: Standing::Pending,
    };
    assert_eq!(bot.slack.look_up(&actor).await.actor.standing, Standing::Outsider);
    bot.finish().await;
}

#[tokio::test]
async fn a_token_that_is_revoked_is_noticed_by_whatever_call_meets_it_and_people_are_told_the_truth() {
    let bot = workspace(BOTH).await;
    let actor = asks(&bot, "U1").await;
    assert!(bot.slack.is_token_accepted());
    bot.fake.fault("users.info", Fault::Code("token_revoked"));
    bot.slack.look_up(&actor).await;
    assert!(!bot.slack.is_token_accepted(), "readiness depends on it");
    let command = bot.fake.deliver("slash_commands", bot.fake.command_payload("U1", "C1", "prod/orders-db"));
    let answer = bot.fake.acknowledged(&command).await.unwrap();
    assert!(answer["text"].as_str().unwrap().contains("no longer accepts my token"), "{answer}");
    let action = json!({ "type": "button", "action_id": "act-0", "value": "x" });
    let click = bot.fake.deliver("interactive", bot.fake.interaction("U1", "C1", "1764000000.000001", None, action));
    bot.fake.acknowledged(&click).await;
    assert!(bot.fake.next_whisper().await["text"].as_str().unwrap().contains("no longer accepts my token"));
    assert_eq!(bot.intake.heard().len(), 1);
    // What another method may not do says nothing about the token; a call that comes through says that it works.
    for code in ["missing_scope", "not_allowed_token_type", "channel_not_found", "not_in_channel", "access_denied"] {
        bot.fake.fault("users.info", Fault::Code(code));
        bot.slack.look_up(&actor).await;
        assert!(!bot.slack.is_token_accepted(), "{code}");
    }
    bot.slack.look_up(&actor).await;
    assert!(bot.slack.is_token_accepted());
    for code in ["missing_scope", "not_allowed_token_type", "channel_not_found", "not_in_channel", "access_denied"] {
        bot.fake.fault("conversations.history", Fault::Code(code));
        let to = rotation_diag::chat::Destination::Channel(place("C1", None));
        let message = Message::line(Tone::Neutral, "x".into());
        let lost = LostPost { key: "k", message: &message, since: jiff::Timestamp::now(), others: &[] };
        assert!(!matches!(bot.slack.find(&to, &lost).await, Err(SendError::Unauthorized { .. })), "{code}");
        assert!(bot.slack.is_token_accepted(), "{code}");
    }
    bot.finish().await;
}

#[tokio::test]
async fn the_bot_hears_that_it_was_invited() {
    let bot = workspace(Lookups::default()).await;
    for (user, channel) in [("U1", "C2"), (crate::fake_slack::BOT_USER, "C1")] {
        let event =
            json!({ "type": "member_joined_channel", "user": user, "channel": channel, "channel_type": "C", "team": TEAM });
        let envelope = bot.fake.deliver("events_api", bot.fake.event_payload(event, 1));
        bot.fake.acknowledged(&envelope).await;
    }
    assert_eq!(*bot.intake.joined.lock().unwrap(), [place("C1", None)]);
    bot.finish().await;
}

#[tokio::test]
async fn the_home_of_somebody_unknown_is_shown_once_it_is_known_who_it_is() {
    let bot = workspace(BOTH).await;
    let opened = json!({ "type": "app_home_opened", "user": "U1", "channel": "D1", "tab": "home", "event_ts": "1.1" });
    let envelope = bot.fake.deliver("events_api", bot.fake.event_payload(opened, 1));
    bot.fake.acknowledged(&envelope).await;
    let (user, _) = bot.fake.until("a home", |world| world.read_home()).await;
    assert_eq!((user.as_str(), bot.fake.calls("users.info")), ("U1", 1));
    assert!(tokio::time::timeout(Duration::from_secs(20), async { bot.slack.introduce().await }).await.is_ok());
    bot.finish().await;
}
