//! What is looked up about a person, and what happens where it cannot be.

use crate::desk::{Bot, fast};
use crate::fake_slack::{FakeSlack, Fault};
use rotation_diag::chat::slack::Lookups;
use rotation_diag::model::{Actor, Standing};
use serde_json::json;

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
        world.users.insert("UGUEST".to_owned(), json!({ "id": "UGUEST", "is_restricted": true }));
    }
    Bot::start_with(fake, 1, lookups, fast()).await
}

async fn asks(bot: &Bot, user: &str) -> Actor {
    let before = bot.desk.heard().len();
    let command = bot.fake.deliver("slash_commands", bot.fake.command_payload(user, "C1", "x"));
    bot.fake.acknowledged(&command).await;
    bot.desk.hears(before + 1).await.pop().unwrap().actor
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
async fn groups_and_standing_are_asked_once_and_kept_for_a_while() {
    let bot = workspace(BOTH).await;
    for _ in 0..3 {
        let actor = asks(&bot, "U1").await;
        assert_eq!((actor.groups, actor.standing), (Some(vec!["S1".to_owned()]), Standing::Member));
    }
    let actor = asks(&bot, "UGUEST").await;
    assert_eq!((actor.groups, actor.standing), (Some(Vec::new()), Standing::Outsider));
    assert_eq!((bot.fake.calls("usergroups.list"), bot.fake.calls("users.info")), (1, 2));
    bot.finish().await;
}

#[tokio::test]
async fn where_slack_does_not_answer_nothing_is_known_and_the_acknowledgement_is_in_time() {
    let bot = workspace(BOTH).await;
    bot.fake.fault("usergroups.list", Fault::Hang);
    bot.fake.fault("users.info", Fault::Hang);
    let actor = asks(&bot, "U1").await;
    assert_eq!((actor.groups, actor.standing), (None, Standing::Unknown));
    for fault in [Fault::Status(500, Vec::new()), Fault::Code("missing_scope"), Fault::Body("text/plain", "ok")] {
        bot.fake.fault("usergroups.list", fault.clone());
        bot.fake.fault("users.info", fault);
        let actor = asks(&bot, "U1").await;
        assert_eq!((actor.groups, actor.standing), (None, Standing::Unknown));
    }
    let actor = asks(&bot, "U1").await;
    assert_eq!((actor.groups, actor.standing), (Some(vec!["S1".to_owned()]), Standing::Member), "a failure is not kept");
    bot.finish().await;
}

#[tokio::test]
async fn someone_of_another_organization_in_a_shared_channel_is_an_outsider_without_being_looked_up() {
    let bot = workspace(Lookups::default()).await;
    let mut payload = bot.fake.mention_payload("U9", "C1", "x", None);
    payload["event"]["user_team"] = json!("T2");
    let envelope = bot.fake.deliver("events_api", payload);
    bot.fake.acknowledged(&envelope).await;
    let action = json!({ "type": "button", "action_id": "act-0", "value": "x" });
    let mut payload = bot.fake.interaction("U9", "C1", "1764000000.000001", None, action);
    payload["user"]["team_id"] = json!("T2");
    let envelope = bot.fake.deliver("interactive", payload);
    bot.fake.acknowledged(&envelope).await;
    for heard in bot.desk.hears(2).await {
        assert_eq!((heard.actor.standing, heard.actor.workspace.as_str()), (Standing::Outsider, "T1"));
    }
    bot.finish().await;
}
