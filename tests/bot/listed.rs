//! The list of threads: who sees what of which platform, and what it is searched by.

use super::world::{Fake, RULES, Shown, Simulated, World, actor, answer_text, place, said};
use rotation_diag::chat::document::Tone;
use rotation_diag::chat::{
    Intake as _, ListedThread, Message, MessageHistory as _, Payload, ThreadFilter, ThreadList, ThreadQuery, ThreadTarget,
};
use rotation_diag::model::{Actor, InvestigationId, Place, PlatformName, Standing};

const CONSOLE: PlatformName = PlatformName::new("console");

/// Another secret of the account, which rotates.
const ARCHIVE: &str = "[[secret]]\nname = \"prod/orders-archive\"\nfunction = \"archive-rotator\"\nlast_rotated = \"-12d\"\n\
                       [[function]]\nname = \"archive-rotator\"\n";

/// Whoever reaches the page may ask about these secrets.
fn rules(secrets: &str) -> String {
    let page = "platform = \"console\"\nworkspace = \"local\"\nchannels = [\"page\"]\nusers = [\"local\"]";
    format!("{RULES}\n[[allow]]\n{page}\nsecrets = [{secrets}]\n")
}

fn reader() -> Actor {
    Actor {
        platform: CONSOLE,
        workspace: "local".to_owned(),
        user: "local".to_owned(),
        groups: Some(Vec::new()),
        standing: Standing::Member,
    }
}

fn page() -> Place {
    Place { platform: CONSOLE, workspace: "local".to_owned(), channel: "page".to_owned(), thread: None }
}

fn all() -> ThreadQuery {
    ThreadQuery { limit: 50, ..ThreadQuery::default() }
}

async fn ask(world: &World, key: &str, actor: &Actor, place: Place, words: &str) {
    let said = said(key, actor, place, Payload::Words(words.to_owned()));
    assert_eq!(answer_text(&world.bot.intake.accept(said).await), "accepted", "{key}");
}

/// The last word about it: an earlier one has no controls, and no record yet.
async fn verdict(fake: &Fake, about: &str) {
    fake.until(about, |state| state.shown.iter().any(|shown| is_last(&shown.message) && shown.title().contains(about))).await;
}

fn is_last(message: &Message) -> bool {
    message.tone != Tone::Working && !message.controls.is_empty()
}

/// A world in which Slack, and somebody on the page, asked.
async fn asked(secrets: &str) -> (World, [std::sync::Arc<Fake>; 2]) {
    let mut world = World::new(&rules(secrets), Simulated::new(&[("prod", "role_detached_policy", ARCHIVE)])).await;
    let platforms = [PlatformName::new("slack"), CONSOLE].map(Fake::new);
    world.start(&platforms);
    let [slack, console] = &platforms;
    ask(&world, "k1", &actor("U1"), place(Some("theirs")), "prod/orders-db").await;
    verdict(slack, "prod/orders-db is not rotating").await;
    ask(&world, "k2", &actor("U1"), place(None), "prod/orders-db").await;
    slack
        .until("a thread of its own", |state| {
            let is_own = |shown: &Shown| shown.root.is_none() && shown.title().contains("is not rotating");
            state.shown.iter().any(|shown| is_own(shown) && is_last(&shown.message))
        })
        .await;
    if secrets.contains("orders") {
        ask(&world, "page.s1.k3", &reader(), page(), "prod/orders-archive").await;
        verdict(console, "prod/orders-archive").await;
    }
    (world, platforms)
}

fn titles(list: &ThreadList) -> Vec<&str> {
    list.threads.iter().map(|thread| thread.title.as_str()).collect()
}

async fn listed(world: &World, query: ThreadQuery) -> ThreadList {
    world.bot.history.threads(&reader(), &page(), &query).await.unwrap()
}

fn elsewhere(list: &ThreadList) -> Vec<(&'static str, InvestigationId)> {
    let of = |thread: &ListedThread| match &thread.leads_to {
        ThreadTarget::Elsewhere { investigation, platform } => Some((*platform, investigation.clone())),
        ThreadTarget::Thread(_) => None,
    };
    list.threads.iter().filter_map(of).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_lists_its_own_threads_and_what_was_found_elsewhere_but_not_what_is_held_in_a_thread_of_others() {
    let (world, [slack, console]) = asked("\"prod/orders-*\"").await;
    let list = listed(&world, all()).await;
    let [own, others] = list.threads.as_slice() else { panic!("{:?}", titles(&list)) };
    assert_eq!(own.leads_to, ThreadTarget::Thread(console.roots()[0].id.clone()));
    assert!(own.title.as_str().contains("prod/orders-archive"), "{own:?}");
    assert!(others.title.as_str().starts_with("prod/orders-db is not rotating") && others.tone == Tone::Bad, "{others:?}");
    let seen = elsewhere(&list);
    let [("Slack", id)] = seen.as_slice() else { panic!("{list:?}") };
    assert_eq!(list.accounts.iter().map(String::as_str).collect::<Vec<_>>(), ["prod"]);
    assert_eq!(list.older, None);

    let shown = world.bot.history.investigation(&reader(), &page(), id).await.unwrap();
    let root = slack.roots()[0].id.clone();
    let there = shown.elsewhere.unwrap();
    assert_eq!((there.platform, there.address), ("Slack", Some(format!("https://slack.example/C1/{root}"))));
    assert_eq!(shown.place.thread, Some(root));

    // Slack shows nothing of others.
    let theirs = world.bot.history.threads(&actor("U1"), &place(None), &all()).await.unwrap();
    assert!(elsewhere(&theirs).is_empty() && theirs.threads.len() == 1, "{theirs:?}");

    let held = world.store.recent_investigations(&place(None), 10).await.unwrap();
    let held = held.into_iter().find(|row| row.held_in.is_some()).unwrap();
    assert!(world.bot.history.investigation(&reader(), &page(), &held.id).await.is_none());
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_is_searched_and_filtered_and_goes_on_where_it_was_cut() {
    let (world, _platforms) = asked("\"prod/orders-*\"").await;
    let (broken, working) = ("prod/orders-db is not rotating", "prod/orders-archive");
    for (query, expected) in [
        (ThreadQuery { text: "ARCHIVE".to_owned(), ..all() }, vec![working]),
        (ThreadQuery { text: "rotating".to_owned(), ..all() }, vec![broken]),
        (ThreadQuery { text: "x".to_owned(), ..all() }, vec![]),
        (ThreadQuery { filter: ThreadFilter::Failing, ..all() }, vec![broken]),
        (ThreadQuery { filter: ThreadFilter::Open, ..all() }, vec![broken]),
        (ThreadQuery { filter: ThreadFilter::Mine, sent_as: "page.s1.".to_owned(), ..all() }, vec![working]),
        (ThreadQuery { filter: ThreadFilter::Mine, sent_as: "page.s2.".to_owned(), ..all() }, vec![]),
        (ThreadQuery { filter: ThreadFilter::Mine, ..all() }, vec![]),
        (ThreadQuery { account: Some("prod".to_owned()), ..all() }, vec![working, broken]),
        (ThreadQuery { account: Some("stage".to_owned()), ..all() }, vec![]),
    ] {
        let list = listed(&world, query.clone()).await;
        let found = titles(&list);
        let fits = found.len() == expected.len() && found.iter().zip(&expected).all(|(title, start)| title.contains(start));
        assert!(fits, "{query:?}: {found:?}");
        assert_eq!(list.accounts.len(), 1, "what is chosen takes no account away from the choice");
    }
    let first = listed(&world, ThreadQuery { limit: 1, ..all() }).await;
    assert!(titles(&first)[0].contains(working) && first.older.is_some(), "{first:?}");
    let second = listed(&world, ThreadQuery { limit: 1, behind: first.older, ..all() }).await;
    assert!(titles(&second)[0].contains(broken) && second.older.is_none(), "the thread that is held is not there: {second:?}");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_shown_of_a_secret_that_may_not_be_asked_about_here() {
    let (world, _platforms) = asked("\"shop/*\"").await;
    let list = listed(&world, all()).await;
    assert!(list.threads.is_empty() && list.accounts.is_empty(), "{list:?}");
    for row in world.store.recent_investigations(&place(None), 10).await.unwrap() {
        assert!(world.bot.history.investigation(&reader(), &page(), &row.id).await.is_none());
        let shown = world.bot.history.investigation(&actor("U1"), &place(None), &row.id).await.unwrap();
        assert_eq!(shown.elsewhere, None, "where it was asked, it is seen");
    }
    world.end().await;
}
