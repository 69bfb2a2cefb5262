//! More alarms at once than anyone reads.

use crate::threads::{ROUTE, Town, ago, alarm, text_of};
use futures::StreamExt as _;
use rotation_diag::chat::document::{Content, Mention};
use serde_json::Value;
use std::collections::BTreeSet;

fn name(n: usize) -> String {
    format!("prod/storm-{n:02}")
}

pub(crate) async fn storm(town: &Town, count: usize, minutes: i64) {
    let of = |n: usize| alarm(&format!("a{n}"), "ALARM", ago(minutes), &[("SecretId", &name(n))]);
    let alarms: Vec<Value> = (0..count).map(of).collect();
    futures::stream::iter(&alarms).for_each_concurrent(16, |alarm| town.hears(alarm)).await;
    town.comes_to_rest().await;
}

/// The secrets that have no thread of their own.
fn without_thread(town: &Town, count: usize) -> BTreeSet<String> {
    let roots = town.slack.roots();
    let of_threads: Vec<&str> =
        roots.iter().map(|root| root.title()).filter(|title| !title.contains("than have threads")).collect();
    (0..count).map(name).filter(|name| !of_threads.iter().any(|title| title.contains(name.as_str()))).collect()
}

#[tokio::test]
async fn every_secret_of_a_storm_is_named_in_its_thread_and_in_the_audit_trail_and_counted_once() {
    let town = Town::new("healthy").await;
    storm(&town, 60, 3).await;
    // A repeat is no other secret.
    storm(&town, 60, 2).await;
    let root = town.reads("Alarm storm: 55 more secrets in this thread").await;
    let missing = without_thread(&town, 60);
    assert_eq!((missing.len(), town.threads().len()), (55, 6), "{:?}", town.threads());
    let list: Vec<String> =
        town.slack.replies().iter().filter(|reply| reply.root.as_ref() == Some(&root.id)).map(text_of).collect();
    let lines = town.world.audit_trail().await;
    let listed: Vec<&str> = (lines.iter())
        .filter(|line| line.did.as_str() == "listed in a storm of alarms")
        .map(|line| line.subject.as_str())
        .collect();
    assert_eq!(listed.len(), 55);
    for secret in &missing {
        assert_eq!(list.iter().filter(|page| page.contains(secret.as_str())).count(), 1, "{secret}");
        assert!(listed.contains(&secret.as_str()), "{secret}");
    }
}

#[tokio::test]
async fn after_a_storm_its_list_is_a_file_and_what_still_fails_gets_a_thread() {
    let town = Town::new("healthy").await;
    storm(&town, 50, 3).await;
    let before = without_thread(&town, 50);
    assert_eq!(before.len(), 45);
    let town = town.later(11, "healthy", "", ROUTE).await;
    rotation_diag::bot::begin_rechecks(&town.world.store).await.unwrap();
    town.comes_to_rest().await;
    let replies = town.slack.replies();
    let files: Vec<&str> = (replies.iter().flat_map(|reply| &reply.message.attachments))
        .filter(|file| file.name == "secrets.txt")
        .filter_map(|file| match &file.content {
            Content::Text(text) => Some(text.as_str()),
            Content::Png(_) => None,
        })
        .collect();
    assert_eq!(files.len(), 1);
    assert_eq!(files[0].lines().map(str::to_owned).collect::<BTreeSet<_>>(), before);
    // As many as may be opened a minute, and none of them is told of twice.
    assert_eq!(without_thread(&town, 50).len(), 40);
    rotation_diag::bot::begin_rechecks(&town.world.store).await.unwrap();
    town.comes_to_rest().await;
    assert_eq!(without_thread(&town, 50).len(), 40);
    let town = town.later(13, "healthy", "", ROUTE).await;
    rotation_diag::bot::begin_rechecks(&town.world.store).await.unwrap();
    town.comes_to_rest().await;
    assert_eq!(without_thread(&town, 50).len(), 35);
}

#[tokio::test]
async fn what_a_storm_listed_and_rotates_since_gets_no_thread() {
    let town = Town::new("healthy_by_its_own_retry").await;
    storm(&town, 6, 50).await;
    town.hears(&alarm("weather", "ALARM", ago(50), &[("SecretId", "prod/weather-db")])).await;
    town.comes_to_rest().await;
    let listed = without_thread(&town, 6);
    assert_eq!(listed.len(), 1);
    let town = town.later(11, "healthy_by_its_own_retry", "", ROUTE).await;
    rotation_diag::bot::begin_rechecks(&town.world.store).await.unwrap();
    town.comes_to_rest().await;
    assert_eq!(without_thread(&town, 6).len(), 0);
    assert!(town.threads().iter().all(|title| !title.contains("prod/weather-db")), "{:?}", town.threads());
    town.reads("1 still failed afterwards and got a thread").await;
}

#[tokio::test]
async fn a_critical_alarm_has_its_thread_and_calls_in_the_midst_of_a_storm() {
    let town = Town::new("healthy").await;
    storm(&town, 12, 3).await;
    // It was listed, and is critical now.
    let listed = without_thread(&town, 12).pop_first().unwrap();
    town.hears(&alarm("orders-page", "ALARM", ago(1), &[("SecretId", &listed)])).await;
    let told = town.reads("Alarm orders-page went to ALARM").await;
    assert_eq!(told.message.mention, Some(Mention::Group("S1".to_owned())));
    let root = town.slack.roots().into_iter().find(|root| Some(&root.id) == told.root.as_ref()).unwrap();
    assert!(root.title().contains(&listed), "{}", root.title());
}
