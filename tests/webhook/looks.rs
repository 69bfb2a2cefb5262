//! Every kind of message about alarms is one that each platform takes: from the first word to the last.

use crate::bot_world::Shown;
use crate::endings::without_data;
use crate::fake_discord::check;
use crate::fake_slack::check_blocks;
use crate::kept_looks::keep;
use crate::series::contributor;
use crate::storms::storm;
use crate::threads::{ORDERS, ROUTE, Town, ago, alarm};
use rotation_diag::chat::Message;
use rotation_diag::platforms::slack::render::{Surface, message};
use rotation_diag::platforms::{discord, slack};
use serde_json::json;
use std::collections::BTreeMap;

/// The messages by the kind of trouble they come of, in the order in which they were first told.
#[derive(Default)]
struct Album(BTreeMap<String, Message>);

impl Album {
    /// What `town` shows now; what its verdicts leave to their threads is no matter of alarms.
    fn add(&mut self, kind: &str, town: &Town) {
        let is_of_alarms = |shown: &&Shown| {
            let title = shown.title();
            shown.root.is_none() || title.contains("larm") || title.contains("rotation failed") || title.starts_with("Secrets ")
        };
        for (number, shown) in town.slack.shown().iter().filter(is_of_alarms).enumerate() {
            self.0.insert(format!("alarm-{kind}-{}", number + 1), shown.message.clone());
        }
    }
}

#[tokio::test]
async fn every_kind_of_message_about_alarms_is_taken() {
    let mut album = Album::default();

    let town = Town::new("role_detached_policy").await;
    town.hears(&alarm("orders-page", "ALARM", ago(50), &[ORDERS])).await;
    town.comes_to_rest().await;
    album.add("opened", &town);
    town.hears(&alarm("second", "ALARM", ago(40), &[ORDERS])).await;
    town.comes_to_rest().await;
    town.hears(&alarm("orders-page", "OK", ago(30), &[ORDERS])).await;
    town.hears(&without_data(alarm("second", "OK", ago(29), &[ORDERS]))).await;
    town.comes_to_rest().await;
    album.add("joined", &town);
    for n in 0..7 {
        let change = if n % 2 == 0 { "ALARM" } else { "OK" };
        town.hears(&alarm("orders-page", change, ago(9 - n), &[ORDERS])).await;
        town.comes_to_rest().await;
    }
    album.add("flapping", &town);
    let town = town.later(11, "role_detached_policy", "", ROUTE).await;
    rotation_diag::bot::begin_rechecks(&town.world.store).await.unwrap();
    town.comes_to_rest().await;
    album.add("settled", &town);

    let weather = ("SecretId", "prod/weather-db");
    let town = Town::new("healthy_by_its_own_retry").await;
    town.hears(&alarm("weather", "ALARM", ago(50), &[weather])).await;
    town.comes_to_rest().await;
    town.hears(&alarm("weather", "OK", ago(1), &[weather])).await;
    town.comes_to_rest().await;
    album.add("recovered", &town);

    let town = Town::new("healthy").await;
    storm(&town, 60, 3).await;
    album.add("storm", &town);
    let town = town.later(11, "healthy", "", ROUTE).await;
    rotation_diag::bot::begin_rechecks(&town.world.store).await.unwrap();
    town.comes_to_rest().await;
    album.add("storm-over", &town);

    let town = Town::new("healthy").await;
    town.hears(&alarm("a metric that names nobody", "ALARM", ago(5), &[("FunctionName", "nobody")])).await;
    // It is tried again for a while, so it does not come to rest.
    town.reads("Could not determine which secret").await;
    album.add("unmapped", &town);
    let town = Town::new("healthy").await;
    town.hears(&alarm("long ago", "ALARM", ago(5 * 60), &[("FunctionName", "nobody")])).await;
    town.reads("Could not determine which secret").await;
    album.add("unmapped-for-good", &town);

    let town = Town::new("role_detached_policy").await;
    town.hears(&alarm("quiet", "INSUFFICIENT_DATA", ago(5), &[ORDERS])).await;
    town.comes_to_rest().await;
    album.add("no-data", &town);

    let second = "[[secret]]\nname = \"prod/users-db\"\nfunction = \"orders-rotator\"\n";
    let town = Town::with("role_detached_policy", second, ROUTE).await;
    let crossed = "Threshold Crossed: 1 out of the last 1 datapoints was greater than the threshold (0.0).";
    for (id, secret) in [("a29eb44b20c4362e", "prod/orders-db"), ("6d442278dba546f6", "prod/users-db")] {
        town.hears(&contributor(id, secret, "ALARM", ago(5), crossed)).await;
    }
    town.comes_to_rest().await;
    album.add("series", &town);
    let mapping = format!(
        "{ROUTE}[[alarms.mapping]]\nalarm = \"fleet\"\nsecrets = [\"prod/orders-db\", \"prod/users-db\", \"prod/none\"]\n"
    );
    let town = Town::with("role_detached_policy", second, &mapping).await;
    town.hears(&alarm("fleet", "ALARM", ago(5), &[])).await;
    town.comes_to_rest().await;
    album.add("fleet", &town);

    for kind in ["opened", "joined", "flapping", "settled", "recovered", "storm", "storm-over", "unmapped", "series", "fleet"] {
        assert!(album.0.contains_key(&format!("alarm-{kind}-1")), "{kind}: {:?}", album.0.keys());
    }
    for (name, shown) in &album.0 {
        let rendered = message(shown, Surface::Post);
        let blocks = serde_json::to_value(&rendered.blocks).unwrap();
        check_blocks(&blocks, false).unwrap_or_else(|why| panic!("{name}: {why:?}"));
        let files: Vec<String> = shown.attachments.iter().map(|file| file.name.clone()).collect();
        keep(slack::NAME.id(), name, shown, json!({ "text": rendered.text, "blocks": blocks }), &files);
        // Whom an alarm calls has another id on each platform.
        let shown = Message { mention: None, ..shown.clone() };
        let fields = discord::fields(&shown);
        let mut wrong = check::body("POST", "/channels/{channel_id}/messages", &fields);
        wrong.extend(check::message(&fields, &json!({ "parse": [] }), false));
        assert_eq!(wrong, Vec::<String>::new(), "{name}");
        keep(discord::NAME.id(), name, &shown, fields, &files);
    }
}
