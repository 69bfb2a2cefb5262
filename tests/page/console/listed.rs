//! The list of threads.

use super::*;

#[tokio::test]
async fn a_list_that_is_cut_leads_to_what_is_older_and_back() {
    let site = Site::open().await;
    for at in 0..50 {
        site.shelf.put(&[(&format!("root{at}"), site.say("x"))]);
    }
    let mut browser = Browser::default();
    let entries = |page: &str| page.matches("<li id=\"t-").count();
    let whole = site.page(&mut browser, "/").await;
    assert_eq!((entries(&whole), link(&whole, "Older")), (50, None));
    site.shelf.put(&[("root50", site.say("x"))]);
    let newest = site.page(&mut browser, "/").await;
    let older = link(&newest, "Older").unwrap();
    assert_eq!((entries(&newest), older.as_str()), (50, "/?behind=0.1"));
    let oldest = site.page(&mut browser, &older).await;
    assert_eq!((entries(&oldest), link(&oldest, "Older"), link(&oldest, "Newest").as_deref()), (1, None, Some("/")));
    assert!(oldest.contains("id=\"t-root0\""), "{oldest}");
}

#[tokio::test]
async fn what_is_looked_for_stands_in_the_address_and_stays_there() {
    let site = Site::open().await;
    site.shelf.put(&[(ROOT, site.say("prod/orders-db is not rotating"))]);
    let mut browser = Browser::default();
    let chosen = "/?q=orders+db&show=failing&account=prod";
    let page = site.page(&mut browser, chosen).await;
    let query = site.shelf.queries.lock().unwrap().pop().unwrap();
    assert_eq!((query.text.as_str(), query.filter, query.account.as_deref()), ("orders db", ThreadFilter::Failing, Some("prod")));
    for expected in [
        "name=\"q\" value=\"orders db\"",
        "<option value=\"prod\" selected>prod</option>",
        "href=\"/?q=orders+db&amp;show=failing&amp;account=prod\" aria-current=\"true\">Failing</a>",
        "Nothing here fits. <a href=\"/\">Show all</a>",
    ] {
        assert!(page.contains(expected), "the page lacks {expected}: {page}");
    }
    assert_eq!(link(&page, "Mine").as_deref(), Some("/?q=orders+db&show=mine&account=prod"));
    // What is said keeps it, and so does the thread that is opened from it.
    let shown =
        location(&site.submit(&mut browser, chosen, "/say", &[("words", "x"), ("list", "q=orders+db&show=failing")]).await);
    assert!(shown.starts_with("/?q=orders+db&show=failing&asked="), "{shown}");
    let mine = site.page(&mut browser, "/?q=orders&show=mine").await;
    let key = site.intake.received.lock().unwrap()[0].key.clone();
    let query = site.shelf.queries.lock().unwrap().pop().unwrap();
    assert_eq!(query.filter, ThreadFilter::Mine);
    assert!(key.starts_with(&query.sent_as), "mine is what was sent from here: {key}");
    let mut other = Browser::default();
    site.page(&mut other, "/?show=mine").await;
    let others = site.shelf.queries.lock().unwrap().pop().unwrap();
    assert_eq!(others.sent_as, query.sent_as, "in another browser it is the same person");
    assert!(mine.contains(&format!("href=\"/threads/{ROOT}?q=orders&amp;show=mine\"")), "{mine}");
    let thread = site.page(&mut browser, &format!("/threads/{ROOT}?q=orders&show=mine")).await;
    assert_eq!(link(&thread, "← Channel").as_deref(), Some("/?q=orders&show=mine"));
    assert_eq!(link(&thread, "All"), Some(format!("/threads/{ROOT}?q=orders")));
}

#[tokio::test]
async fn a_thread_is_one_line_with_its_state_its_age_and_its_moment() {
    let site = Site::open().await;
    let name = format!("prod/{}", "x".repeat(500));
    site.shelf.put(&[(ROOT, Message { tone: Tone::Bad, ..Message::line(Tone::Bad, safe(&name)) })]);
    let page = site.page(&mut Browser::default(), "/").await;
    let entry = regex::Regex::new("(?s)<li id=\"t-.*?</li>").unwrap().find(&page).unwrap().as_str();
    for expected in [
        "data-tone=\"bad\"",
        "<span class=\"icon\" aria-hidden=\"true\"></span>",
        "<span class=\"unseen\">Failing: </span>",
        &format!("<span class=\"title\" title=\"{name}\">"),
        "<time class=\"ago\" datetime=\"2026-11-24T04:52:00Z\" title=\"Tue 24 Nov 04:52 UTC\" data-ago>3 min</time>",
    ] {
        assert!(entry.contains(expected), "{expected}: {entry}");
    }
}

#[tokio::test]
async fn what_was_found_elsewhere_is_shown_here_with_the_way_to_its_thread() {
    let site = Site::open().await;
    let investigation = investigated("role_detached_policy").await;
    let thread = ListedThread {
        leads_to: ThreadTarget::Elsewhere { investigation: investigation.id.clone(), platform: "Slack" },
        tone: Tone::Bad,
        title: safe("prod/orders-db is not rotating"),
        opened_at: "2026-11-24T04:00:00Z".parse().unwrap(),
        stated_at: "2026-11-24T04:00:00Z".parse().unwrap(),
    };
    site.shelf.of_others.lock().unwrap().push(thread);
    *site.shelf.investigation.lock().unwrap() = Some(investigation);
    let mut browser = Browser::default();
    let list = site.page(&mut browser, "/").await;
    assert!(
        list.contains(&format!("href=\"/investigations/{ID}\"")) && list.contains("<span class=\"badge\">Slack</span>"),
        "{list}"
    );
    let path = format!("/investigations/{ID}");
    let elsewhere = |address: Option<&str>| Some(Elsewhere { platform: "Slack", address: address.map(str::to_owned) });
    *site.shelf.elsewhere.lock().unwrap() = elsewhere(Some("https://acme.slack.com/archives/C1/p1"));
    let page = site.page(&mut browser, &path).await;
    assert_eq!(link(&page, "Open in Slack").as_deref(), Some("https://acme.slack.com/archives/C1/p1"));
    *site.shelf.elsewhere.lock().unwrap() = elsewhere(None);
    let page = site.page(&mut browser, &path).await;
    assert!(page.contains("Its thread is in Slack.") && link(&page, "Open in Slack").is_none(), "{page}");
}
