//! Certificates: addresses that are never fetched, hosts that misbehave, certificates that do not count.

use crate::sns_signer::{Behaviour, CertificateForm, HOST, PATH, notification, private_key_pem};
use crate::world::{CANARY, NOW, SENT, World, post, sns};
use axum::http::StatusCode;
use rotation_diag::alarm::KnownCertificate;
use serde_json::{Value, json};

fn from(url: &str) -> Value {
    let mut fields = notification(SENT, CANARY);
    fields["SigningCertURL"] = json!(url);
    fields
}

#[tokio::test]
async fn no_other_address_is_ever_fetched() {
    let world = World::new().await;
    let file = PATH;
    for url in [
        // a10: scheme, port, user, query, fragment
        format!("http://{HOST}{file}"),
        format!("https://{HOST}:444{file}"),
        format!("https://{HOST}:443{file}"),
        format!("https://user:pw@{HOST}{file}"),
        format!("https://{HOST}{file}?{CANARY}"),
        format!("https://{HOST}{file}#{CANARY}"),
        // a11: buckets
        format!("https://sns.s3-us-west-2.amazonaws.com{file}"),
        format!("https://sns.s3.amazonaws.com{file}"),
        format!("https://s3.amazonaws.com/sns{file}"),
        // a12: names that only look alike
        format!("https://{HOST}.evil.tld{file}"),
        format!("https://evil-{HOST}{file}"),
        format!("https://{HOST}.{file}"),
        format!("https://ѕns.eu-west-1.amazonaws.com{file}"),
        format!("https://sns.eu-west-1.amazonaws.com%2eevil.tld{file}"),
        format!("https://SNS.eu-west-1.amazonaws.com{file}"),
        format!("https://sns.us-east-1.amazonaws.com{file}"),
        format!("https://{HOST}.cn{file}"),
        // a14: addresses of machines
        format!("https://169.254.169.254{file}"),
        format!("https://127.0.0.1{file}"),
        format!("https://[::1]{file}"),
        format!("https://localhost{file}"),
        format!("https://2852039166{file}"),
        format!("https://0251.0376.0251.0376{file}"),
        // a15: paths
        format!("https://{HOST}/evil.pem"),
        format!("https://{HOST}/../x.pem"),
        format!("https://{HOST}//{}", file.trim_start_matches('/')),
        format!("https://{HOST}/?Action=x&y=.pem"),
        format!("https://{HOST}/%2F{}", file.trim_start_matches('/')),
        format!("https://{HOST}/SimpleNotificationService-{CANARY}.pem"),
        format!("{HOST}{file}"),
        String::new(),
    ] {
        assert_eq!(world.send(&from(&url)).await, StatusCode::FORBIDDEN, "{url}");
    }
    world.assert_untouched("a10 to a15");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let world = World::new().await;
    for status in [301, 302, 303, 307, 308] {
        for to in ["https://elsewhere.example/", "http://169.254.169.254/", &format!("https://{HOST}{PATH}?")] {
            world.host.behave(Behaviour::Redirect(status, to.to_owned()));
            assert_eq!(world.send(&notification(SENT, CANARY)).await, StatusCode::SERVICE_UNAVAILABLE, "{status} {to}");
            if world.host.fetched().len() == 8 {
                break;
            }
        }
    }
    let (_, names) = world.host.contacts();
    assert!(names.iter().all(|name| name == HOST), "{names:?}");
    assert!(world.host.fetched().iter().all(|path| path == PATH));
    world.assert_nothing_came_of_it("a17");
}

#[tokio::test]
async fn a_certificate_that_cannot_be_fetched_is_our_fault_and_is_asked_for_again() {
    let world = World::new().await;
    let fields = notification(SENT, CANARY);
    for fault in [Behaviour::Status(404), Behaviour::Status(500), Behaviour::Status(204), Behaviour::Untrusted] {
        world.host.behave(fault.clone());
        assert_eq!(world.send(&fields).await, StatusCode::SERVICE_UNAVAILABLE, "{fault:?}");
    }
    let nameless = world.restarted(sns(), NOW, world.host.client_without_names());
    assert_eq!(post(&nameless, fields.to_string(), &[]).await, StatusCode::SERVICE_UNAVAILABLE);
    world.assert_nothing_came_of_it("a18");
    world.host.behave(Behaviour::Serve(CertificateForm::default().pem().into_bytes()));
    assert_eq!(world.send(&fields).await, StatusCode::OK);
}

#[tokio::test]
async fn a_host_that_hangs_drips_or_floods_is_left_in_time() {
    let world = World::impatient().await;
    for fault in [Behaviour::Hang, Behaviour::Drip, Behaviour::Flood] {
        world.host.behave(fault.clone());
        assert_eq!(world.send(&notification(SENT, CANARY)).await, StatusCode::SERVICE_UNAVAILABLE, "{fault:?}");
        let why = if matches!(fault, Behaviour::Flood) { "larger than 16384 bytes" } else { "could not be fetched in time" };
        assert!(world.log.text().contains(why), "{fault:?}");
    }
    world.assert_nothing_came_of_it("a19");
}

#[tokio::test]
async fn what_is_no_single_certificate_with_an_rsa_key_is_not_used() {
    let good = CertificateForm::default().pem();
    for (case, body) in [
        ("a page", "<html>not here</html>".to_owned()),
        ("nothing", String::new()),
        ("an elliptic key", CertificateForm::default().pem_with_elliptic_key()),
        ("half of one", good.chars().take(good.len() / 2).collect()),
        ("two", format!("{good}{good}")),
        ("a private key", private_key_pem()),
        ("one and a private key", format!("{good}{}", private_key_pem())),
        ("base64 of nothing", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_owned()),
    ] {
        let world = World::new().await;
        world.host.behave(Behaviour::Serve(body.into_bytes()));
        assert_eq!(world.send(&notification(SENT, CANARY)).await, StatusCode::SERVICE_UNAVAILABLE, "{case}");
        world.assert_nothing_came_of_it(case);
    }
}

#[tokio::test]
async fn a_certificate_out_of_date_or_of_another_name_does_not_count() {
    for (case, form) in [
        ("expired", CertificateForm { to: (2026, 11, 24), ..CertificateForm::default() }),
        ("not yet valid", CertificateForm { from: (2026, 11, 26), ..CertificateForm::default() }),
        ("of another name", CertificateForm { names: vec!["s3.amazonaws.com"], ..CertificateForm::default() }),
        (
            "of a name that only looks alike",
            CertificateForm { names: vec!["sns.amazonaws.com.evil.tld"], ..CertificateForm::default() },
        ),
        ("of every name", CertificateForm { names: vec!["*.amazonaws.com"], ..CertificateForm::default() }),
        ("without a name", CertificateForm { names: vec![], ..CertificateForm::default() }),
    ] {
        let world = World::new().await;
        world.host.behave(Behaviour::Serve(form.pem().into_bytes()));
        assert_eq!(world.send(&notification(SENT, CANARY)).await, StatusCode::FORBIDDEN, "{case}");
        world.assert_nothing_came_of_it(case);
    }
    let world = World::new().await;
    let regional = CertificateForm { names: vec![HOST], ..CertificateForm::default() };
    world.host.behave(Behaviour::Serve(regional.pem().into_bytes()));
    assert_eq!(world.send(&notification(SENT, "x")).await, StatusCode::OK);
}

#[tokio::test]
async fn ten_thousand_addresses_are_not_fetched_and_known_ones_go_on() {
    let world = World::new().await;
    assert_eq!(world.send(&notification(SENT, "x")).await, StatusCode::OK);
    let mut fields = notification(SENT, CANARY);
    let mut refused = 0;
    for n in 0..10_000 {
        fields["SigningCertURL"] = json!(format!("https://{HOST}/SimpleNotificationService-{n:032x}.pem"));
        fields["Signature"] = json!("AAAA");
        let status = world.send(&fields).await;
        assert!([StatusCode::FORBIDDEN, StatusCode::SERVICE_UNAVAILABLE].contains(&status), "{status}");
        refused += usize::from(status == StatusCode::SERVICE_UNAVAILABLE);
    }
    assert!(world.host.fetched().len() <= 20, "{} were fetched", world.host.fetched().len());
    assert!(refused > 9_900, "{refused}");
    assert_eq!(world.send(&notification(SENT, "y")).await, StatusCode::OK);
}

#[tokio::test]
async fn a_new_certificate_is_taken_without_a_restart_and_a_known_one_is_not_fetched_again() {
    let world = World::new().await;
    for _ in 0..3 {
        assert_eq!(world.send(&notification(SENT, "x")).await, StatusCode::OK);
    }
    assert_eq!(world.host.fetched(), [PATH]);
    let new = "/SimpleNotificationService-fedcba9876543210fedcba9876543210.pem";
    assert_eq!(world.send(&from(&format!("https://{HOST}{new}"))).await, StatusCode::OK);
    assert_eq!(world.host.fetched(), [PATH, new]);
}

#[tokio::test]
async fn those_who_need_the_same_certificate_at_once_share_one_fetch() {
    let world = World::new().await;
    let bodies: Vec<String> = (0..50).map(|n| notification(SENT, &n.to_string()).to_string()).collect();
    let statuses = futures::future::join_all(bodies.into_iter().map(|body| post(&world.router, body, &[]))).await;
    assert!(statuses.iter().all(|status| *status == StatusCode::OK), "{statuses:?}");
    assert_eq!((world.host.fetched().len(), world.kept.notices().len()), (1, 50));
}

/// An address that SNS's host never had.
fn made_up(number: usize) -> Value {
    let mut fields = from(&format!("https://{HOST}/SimpleNotificationService-{number:032x}.pem"));
    fields["Signature"] = json!("AAAA");
    fields
}

fn only_the_genuine_one() -> Behaviour {
    Behaviour::ServeOnly(PATH, CertificateForm::default().pem().into_bytes())
}

#[tokio::test]
async fn a_known_certificate_outlives_a_restart_whoever_floods_and_whatever_the_host_does() {
    let world = World::new().await;
    assert_eq!(world.send(&notification(SENT, "x")).await, StatusCode::OK);
    let known = world.kept.certificates.lock().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(known, [format!("https://{HOST}{PATH}")]);
    let again = world.restarted(sns(), NOW, world.host.client_without_names());
    for number in 0..1_000 {
        let status = post(&again, made_up(number).to_string(), &[]).await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    }
    assert_eq!(post(&again, notification(SENT, "y").to_string(), &[]).await, StatusCode::OK);
    assert_eq!(world.host.fetched(), [PATH], "it was fetched again");
    assert_eq!(post(&again, notification(SENT, CANARY).to_string().replace(CANARY, "forged"), &[]).await, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_forgers_messages_make_no_certificate_known() {
    let world = World::new().await;
    let mut forged = notification(SENT, CANARY);
    forged["Message"] = json!("other");
    assert_eq!(world.send(&forged).await, StatusCode::FORBIDDEN);
    assert!(world.kept.certificates.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_certificate_that_could_not_be_kept_is_kept_with_the_next_message_it_signs() {
    let world = World::new().await;
    *world.kept.is_down.lock().unwrap() = true;
    assert_eq!(world.send(&notification(SENT, "x")).await, StatusCode::SERVICE_UNAVAILABLE);
    assert!(world.kept.certificates.lock().unwrap().is_empty());
    *world.kept.is_down.lock().unwrap() = false;
    assert_eq!(world.send(&notification(SENT, "x")).await, StatusCode::OK);
    assert_eq!((world.kept.certificates.lock().unwrap().len(), world.host.fetched().len()), (1, 1));
}

/// Three days later.
const LATER: &str = "2026-11-28T10:00:00Z";
const SENT_LATER: &str = "2026-11-28T10:00:00.000Z";

#[tokio::test]
async fn a_known_certificate_outlives_its_day_until_there_is_a_new_one() {
    let world = World::new().await;
    assert_eq!(world.send(&notification(SENT, "x")).await, StatusCode::OK);
    for fault in [Behaviour::Status(404), Behaviour::Status(500), Behaviour::Serve(b"nothing".to_vec())] {
        world.host.behave(fault.clone());
        let later = world.restarted(sns(), LATER, world.host.client());
        for message in ["a", "b"] {
            assert_eq!(post(&later, notification(SENT_LATER, message).to_string(), &[]).await, StatusCode::OK, "{fault:?}");
        }
    }
    assert_eq!(world.host.fetched().len(), 4, "it is looked for once, and not with every message");

    // AWS has another one: what the old one signs is judged again only where the host still has it.
    let new = "/SimpleNotificationService-fedcba9876543210fedcba9876543210.pem";
    world.host.behave(Behaviour::ServeOnly(new, CertificateForm::default().pem().into_bytes()));
    let by_new = |message: &str| {
        let mut fields = notification(SENT_LATER, message);
        fields["SigningCertURL"] = json!(format!("https://{HOST}{new}"));
        fields.to_string()
    };
    let later = world.restarted(sns(), LATER, world.host.client());
    assert_eq!(post(&later, by_new("c"), &[]).await, StatusCode::OK);
    assert_eq!(post(&later, notification(SENT_LATER, "d").to_string(), &[]).await, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(post(&later, by_new("e"), &[]).await, StatusCode::OK);

    // Where it still has it, both are good.
    world.host.behave(Behaviour::Serve(CertificateForm::default().pem().into_bytes()));
    let later = world.restarted(sns(), LATER, world.host.client());
    assert_eq!(post(&later, notification(SENT_LATER, "f").to_string(), &[]).await, StatusCode::OK);
    assert_eq!(post(&later, by_new("g"), &[]).await, StatusCode::OK);
}

#[tokio::test]
async fn a_known_certificate_whose_time_is_over_verifies_nothing() {
    let world = World::new().await;
    let short = CertificateForm { to: (2026, 11, 27), ..CertificateForm::default() };
    world.host.behave(Behaviour::Serve(short.pem().into_bytes()));
    assert_eq!(world.send(&notification(SENT, "x")).await, StatusCode::OK);
    let later = world.restarted(sns(), LATER, world.host.client());
    assert_eq!(post(&later, notification(SENT_LATER, CANARY).to_string(), &[]).await, StatusCode::FORBIDDEN);
    assert!(world.log.text().contains("its certificate is not valid now"), "{}", world.log.text());
    // Where it cannot be looked for, SNS is to send again what may be authentic.
    let unsure = world.restarted(sns(), LATER, world.host.client_without_names());
    assert_eq!(post(&unsure, notification(SENT_LATER, CANARY).to_string(), &[]).await, StatusCode::SERVICE_UNAVAILABLE);
    // Another name for the same key was never good either.
    let elsewhere = KnownCertificate {
        address: format!("https://{HOST}{PATH}"),
        der: CertificateForm { names: vec!["evil.example"], ..CertificateForm::default() }.der(),
        fetched_at: NOW.parse().unwrap(),
    };
    world.kept.certificates.lock().unwrap().insert(elsewhere.address.clone(), elsewhere);
    let tampered = world.restarted(sns(), NOW, world.host.client());
    assert_eq!(post(&tampered, notification(SENT, CANARY).to_string(), &[]).await, StatusCode::FORBIDDEN);
    assert_eq!(world.kept.notices().len(), 1);
}

#[tokio::test]
async fn a_genuinely_new_certificate_is_fetched_while_strangers_flood_with_made_up_addresses() {
    // Ever new ones; one again and again; both.
    type Flood = fn(usize) -> usize;
    let floods: [Flood; 3] = [|number| number, |_| 7, |number| if number % 2 == 0 { 7 } else { number }];
    for (case, flood) in floods.iter().enumerate() {
        let world = World::new().await;
        world.host.behave(only_the_genuine_one());
        let genuine = notification(SENT, "x");
        let mut statuses = Vec::new();
        for round in 0..4 {
            for number in 0..300 {
                let status = world.send(&made_up(flood(300 * round + number))).await;
                assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
            }
            statuses.push(world.send(&genuine).await);
        }
        assert_eq!(statuses.last(), Some(&StatusCode::OK), "flood {case}: {statuses:?}");
        let forged = world.host.fetched().iter().filter(|path| *path != PATH).count();
        assert!(forged <= 40, "flood {case}: {forged} were fetched");
    }
}

#[tokio::test]
async fn a_flood_of_forgeries_is_one_line_of_the_log_for_each_reason() {
    let world = World::new().await;
    world.host.behave(only_the_genuine_one());
    for number in 0..2_000 {
        world.send(&made_up(number)).await;
        let mut of_stranger = notification(SENT, CANARY);
        of_stranger["TopicArn"] = json!("arn:aws:sns:eu-west-1:210987654321:theirs");
        world.send(&of_stranger).await;
    }
    let log = world.log.text();
    for reason in ["too many certificates were asked for", "answered with status 404", "its topic is not in alarms.sns.topics"] {
        let lines = log.lines().filter(|line| line.contains("was refused") && line.contains(reason)).count();
        assert_eq!(lines, 1, "{reason}");
    }
}
