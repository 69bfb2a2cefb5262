//! Several of the real program on one PostgreSQL: they share the work, one is killed, the database goes away.

use super::crash::{Bot, account, asking, assert_once, command, hanging, is_told, posts, until};
use super::fake_slack::FakeSlack;
use super::postgres::{self, Cluster};
use rotation_diag::simulator::Simulator;
use std::collections::BTreeSet;
use std::time::Duration;

/// The lines of the configuration that name a new database.
fn on(database: &str) -> String {
    format!("url = \"{database}\"")
}

/// True once an investigation of this account is well under way.
fn looks_into_logs(account: &Simulator) -> bool {
    account.calls().iter().any(|call| call.operation == "FilterLogEvents")
}

/// Waits until it answers so.
async fn until_readiness(bot: &Bot, status: u16) {
    let mut look = tokio::time::interval(Duration::from_millis(100));
    while bot.readiness().await.0 != status {
        look.tick().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_share_the_work_and_each_question_gets_one_thread() {
    let Some(database) = postgres::database() else { return };
    let slack = FakeSlack::start().await;
    let mut folders = Vec::new();
    let mut bots = Vec::new();
    for _ in 0..3 {
        // Each with AWS to itself, to see who asks.
        let (folder, account) = (tempfile::tempdir().unwrap(), account(""));
        bots.push((Bot::start_on(&on(&database), folder.path(), &slack, &account).await, account));
        folders.push(folder);
    }
    let questions: Vec<String> =
        ["24h", "7d", "30d", "90d"].map(|window| asking(&slack, &format!("prod/orders-db window:{window}"))).to_vec();
    let asked = questions.len();
    // Slack sends each to one of them, and again to another one.
    let all = questions.iter().enumerate().flat_map(|(at, body)| [(at, body), (at + 1, body)]);
    let sent = futures::future::join_all(all.map(|(at, body)| bots[at % 3].0.send(body))).await;
    assert!(sent.iter().all(|status| *status.as_ref().unwrap() == 200), "{sent:?}");
    let told = |words: &str| posts(&slack).iter().filter(|post| post.text.contains(words)).count();
    until("every verdict, its details and its timeline", || {
        told("is not rotating") >= asked && told("nine steps found") >= asked && told("Timeline") >= asked
    })
    .await;
    for (bot, _) in &bots {
        assert_eq!(bot.readiness().await, (200, "ready\n".to_owned()));
    }
    let busy = bots.iter().filter(|(_, account)| looks_into_logs(account)).count();
    for (bot, _) in bots {
        bot.terminate();
        let (status, lines) = bot.ended().await;
        assert_eq!(status, Some(0), "{lines:#?}");
    }
    assert_eq!(posts(&slack).iter().filter(|post| post.thread.is_none()).count(), asked);
    let replies: Vec<(String, String)> = posts(&slack).into_iter().filter_map(|post| Some((post.thread?, post.text))).collect();
    let different: BTreeSet<&(String, String)> = replies.iter().collect();
    assert_eq!(different.len(), replies.len(), "something was posted twice: {replies:#?}");
    assert!(busy > 1, "one did all the work");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_killed_one_had_is_taken_over_and_told_once() {
    let Some(database) = postgres::database() else { return };
    let slack = FakeSlack::start().await;
    let [first, second, third] = [(); 3].map(|()| tempfile::tempdir().unwrap());
    let (stuck, well) = (hanging("logs:FilterLogEvents"), account(""));
    let killed = Bot::start_on(&on(&database), first.path(), &slack, &stuck).await;
    assert_eq!(killed.send(&command(&slack)).await.unwrap(), 200);
    until("its work is held", || looks_into_logs(&stuck)).await;
    // The thread is begun, by the one that delivers.
    until("the root", || !posts(&slack).is_empty()).await;
    let others = [
        Bot::start_on(&on(&database), second.path(), &slack, &well).await,
        Bot::start_on(&on(&database), third.path(), &slack, &well).await,
    ];
    assert!(!looks_into_logs(&well), "what a living one does is left to it");
    killed.kill().await;
    until("everything", || is_told(&slack)).await;
    assert_once(&slack, "after the kill");
    for other in others {
        other.kill().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_its_database_it_says_so_acknowledges_nothing_and_goes_on_by_itself() {
    let Some(mut cluster) = Cluster::start() else { return };
    let database = on(&cluster.database());
    let (slack, account, folder) = (FakeSlack::start().await, account(""), tempfile::tempdir().unwrap());
    let bot = Bot::start_on(&database, folder.path(), &slack, &account).await;
    assert_eq!(bot.send(&asking(&slack, "prod/orders-db window:7d")).await.unwrap(), 200);
    until("the first verdict", || is_told(&slack)).await;
    cluster.crash();
    until_readiness(&bot, 503).await;
    assert!(bot.readiness().await.1.contains("store"), "{:?}", bot.readiness().await);
    let refused = bot.send(&asking(&slack, "prod/orders-db window:30d")).await.unwrap();
    cluster.restart();
    until_readiness(&bot, 200).await;
    let roots = || posts(&slack).iter().filter(|post| post.thread.is_none() && post.text.contains("is not rotating")).count();
    assert_eq!(roots(), 1, "what was refused with {refused} was not begun");
    assert_eq!(bot.send(&asking(&slack, "prod/orders-db window:90d")).await.unwrap(), 200);
    until("the second verdict", || roots() == 2).await;
    bot.kill().await;
}
