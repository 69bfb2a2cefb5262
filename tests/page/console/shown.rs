//! Pages of causes, threads and investigations, files, and how browsers follow them.

use super::*;

#[tokio::test]
async fn every_cause_has_a_page_and_a_verdict_leads_to_it() {
    let site = Site::behind(None, "/rotation-diag", &[]).await;
    let mut browser = Browser::default();
    let investigation = investigated("role_detached_policy").await;
    let verdict = verdict(&investigation);
    let proofs = compose::thoughts(&Report::new(&investigation), Kind.limits().screen)
        .into_iter()
        .find_map(|thought| thought.message)
        .unwrap();
    site.shelf.put(&[(ROOT, verdict), ("0123.proofs.0", proofs)]);
    *site.shelf.investigation.lock().unwrap() = Some(investigation);
    let link = "href=\"/rotation-diag/causes/iam_identity_policy_missing\"";
    for path in [format!("/threads/{ROOT}"), format!("/investigations/{ID}")] {
        assert!(site.page(&mut browser, &path).await.contains(link), "{path}");
    }
    let path = "/causes/db_auth_failed";
    let page = site.page(&mut browser, path).await;
    assert!(page.contains("<h1>The database refuses the credentials in the secret</h1>"), "{page}");
    assert!(page.contains("<strong>Shows as</strong> <code>password authentication failed for user</code>"), "{page}");
    for cause in Cause::ALL.iter().filter(|cause| !cause.is_line_label()) {
        let page = site.page(&mut browser, &format!("/causes/{cause}")).await;
        assert!(page.contains("<h1>") && !page.contains("**") && !page.contains('`'), "{cause}: {page}");
    }
    let none = site.get(&mut browser, "/causes/nothing").await;
    assert_eq!(none.status(), 404);
    assert!(none.text().await.unwrap().contains("There is no such cause."));
}

#[tokio::test]
async fn files_are_handed_over_as_files() {
    let site = Site::open().await;
    let investigation = investigated("role_detached_policy").await;
    let mut message = compose::chart(&investigation).unwrap();
    message.attachments.extend(compose::export(&Report::new(&investigation)).attachments);
    site.shelf.put(&[(ROOT, message)]);
    *site.shelf.investigation.lock().unwrap() = Some(investigation);
    let mut browser = Browser::default();
    let thread = format!("/threads/{ROOT}/files/{ROOT}");
    let page = format!("/investigations/{ID}");
    for (path, kind, name) in [
        (format!("{thread}/0"), "image/png", None),
        (format!("{thread}/1"), "application/json", Some("prod-orders-db.json")),
        (format!("{thread}/2"), "text/plain; charset=utf-8", Some("prod-orders-db.md")),
        (format!("{page}/files/report.json"), "application/json", Some("prod-orders-db.json")),
        (format!("{page}/files/report.md"), "text/plain; charset=utf-8", Some("prod-orders-db.md")),
        (format!("{page}/files/timeline.png"), "image/png", None),
        (format!("{page}/files/timeline.svg"), "image/svg+xml", None),
        (format!("{page}/evidence/4"), "text/plain; charset=utf-8", Some("prod-orders-db-step-4.txt")),
    ] {
        let response = site.get(&mut browser, &path).await;
        assert_eq!(response.status(), 200, "{path}");
        assert_eq!(response.headers()[CONTENT_TYPE], kind, "{path}");
        let disposition = response.headers().get(CONTENT_DISPOSITION).map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(disposition, name.map(|name| format!("attachment; filename=\"{name}\"")), "{path}");
        assert!(response.bytes().await.unwrap().len() > 500, "{path}");
    }
    for path in ["/3", "/x", "/-1"] {
        assert!(site.get(&mut browser, &format!("{thread}{path}")).await.status().is_client_error(), "{path}");
    }
    for path in ["/files/other", "/files/report.exe", "/evidence/0", "/evidence/10"] {
        assert_eq!(site.get(&mut browser, &format!("{page}{path}")).await.status(), 404, "{path}");
    }
}

#[tokio::test]
async fn an_investigation_has_a_page_with_everything() {
    let site = Site::open().await;
    *site.shelf.investigation.lock().unwrap() = Some(investigated("role_detached_policy").await);
    let page = site.page(&mut Browser::default(), &format!("/investigations/{ID}")).await;
    for expected in [
        "is not rotating — the function&#39;s role lacks a permission that rotation needs",
        "aws iam attach-role-policy",
        "<svg xmlns",
        "DetachRolePolicy by carol",
        "Nine steps and their evidence",
        "is not authorized to perform",
        "Changes",
        "Ruled out",
        "report.json",
    ] {
        assert!(page.contains(expected) || page.contains(&expected.replace("&#39;", "'")), "the page lacks {expected}");
    }
    assert_eq!(page.matches("<details class=\"step\"").count(), 9);
    assert_eq!(site.get(&mut Browser::default(), &format!("/investigations/{}", "f".repeat(32))).await.status(), 404);
}

#[tokio::test]
async fn browsers_are_told_when_to_look_again() {
    let site = Site::open().await;
    let (mut one, mut two) = (Browser::default(), Browser::default());
    site.submit(&mut one, "/", "/say", &[("words", "prod/x")]).await;
    site.page(&mut two, "/").await;
    let session = site.intake.received.lock().unwrap()[0].reply_to.clone().unwrap();
    let mut first = site.get(&mut one, "/live").await;
    let mut second = site.get(&mut two, "/live").await;
    assert_eq!(first.headers()[CONTENT_TYPE], "text/event-stream");
    let place =
        Place { platform: PlatformName::new("console"), workspace: "local".to_owned(), channel: "page".to_owned(), thread: None };
    let id = site.console.post(&Destination::Channel(place), &site.say("x"), ROOT).await.unwrap();
    assert_eq!(id, ROOT);
    assert_eq!(next(&mut first).await, "event: changed\ndata: look\n\n");
    assert_eq!(next(&mut second).await, "event: changed\ndata: look\n\n");
    let thread = ThreadRef {
        platform: PlatformName::new("console"),
        workspace: "local".to_owned(),
        channel: "page".to_owned(),
        root: "0123.root/0 x".to_owned(),
    };
    site.console.edit(&Destination::Thread(thread.clone()), ROOT, &site.say("y")).await.unwrap();
    assert_eq!(next(&mut first).await, "event: changed\ndata: look\n\n");
    assert_eq!(next(&mut second).await, "event: changed\ndata: look\n\n");
    site.console.point_to(&session, &thread).await.unwrap();
    assert_eq!(next(&mut first).await, "event: changed\ndata: look\n\n");
    assert_eq!(next(&mut second).await, "event: changed\ndata: look\n\n");
    site.console.close();
    assert_eq!(next(&mut second).await, "", "the stream ends when the page goes away");
    assert_eq!(site.get(&mut two, "/live").await.status(), 503);
}

#[tokio::test]
async fn without_scripts_a_page_looks_again_while_steps_run() {
    let site = Site::open().await;
    let mut browser = Browser::default();
    site.shelf.put(&[(ROOT, compose::progress(&safe("prod/x"), &compose::waiting()))]);
    let again = "<noscript><meta http-equiv=\"refresh\" content=\"2\"></noscript>";
    assert!(site.page(&mut browser, &format!("/threads/{ROOT}")).await.contains(again));
    let channel = site.page(&mut browser, "/").await;
    assert!(!channel.contains("http-equiv") && channel.contains(">Refresh</a>"), "what is typed there is not taken away");
    site.shelf.threads.lock().unwrap().clear();
    site.shelf.put(&[(ROOT, site.say("done"))]);
    assert!(!site.page(&mut browser, "/").await.contains("http-equiv"));
    // Right after asking, what was asked is only just stored: it looks until the thread is there, and then goes to it, once.
    let asked = location(&site.submit(&mut browser, "/", "/say", &[("words", "prod/x")]).await);
    assert!(site.page(&mut browser, &asked).await.contains(again));
    let session = site.intake.received.lock().unwrap()[0].reply_to.clone().unwrap();
    site.console.point_to(&session, &thread(ROOT)).await.unwrap();
    let led = site.get(&mut browser, &asked).await;
    assert_eq!((led.status().as_u16(), location(&led)), (303, format!("/threads/{ROOT}")));
    assert!(!site.page(&mut browser, &asked).await.contains("http-equiv"), "whoever comes back is not led away again");
}

#[tokio::test]
async fn where_nothing_is_a_page_of_ours_says_so() {
    let site = Site::behind(None, "/ops", &[]).await;
    for path in ["/nope", "/ops/nope", "/ops/threads/x/y/z"] {
        let response = site.get(&mut Browser::default(), path).await;
        assert_eq!(response.status(), 404, "{path}");
        let page = response.text().await.unwrap();
        assert!(
            page.contains("There is no such page.") && link(&page, "Back to the channel").as_deref() == Some("/ops"),
            "{page}"
        );
    }
}

#[tokio::test]
async fn a_thread_draws_its_charts_in_the_colours_of_the_page() {
    let site = Site::open().await;
    let investigation = investigated("role_detached_policy").await;
    let verdict = verdict(&investigation);
    site.shelf.put(&[(ROOT, verdict), ("chart", compose::chart(&investigation).unwrap())]);
    *site.shelf.investigation.lock().unwrap() = Some(investigation);
    let path = format!("/threads/{ROOT}");
    let mut browser = Browser::default();
    let page = site.page(&mut browser, &path).await;
    assert!(page.contains("class=\"timeline wide\"") && page.contains("class=\"timeline narrow\""), "{page}");
    assert!(
        page.contains("<svg xmlns") && page.contains("class=\"ink-errors\"") && !page.contains("<img src=\"/threads"),
        "{page}"
    );
    assert_eq!(link(&page, "As a picture"), Some(format!("{path}/files/chart/0")));
    // A run that ended since has another chart: the message shows its own.
    *site.shelf.investigation.lock().unwrap() =
        Some(Investigation { id: ID.parse().unwrap(), ..investigated("new_code_raises").await });
    let page = site.page(&mut browser, &path).await;
    assert!(!page.contains("<svg xmlns") && page.contains(&format!("<img src=\"{path}/files/chart/0\"")), "{page}");
}
