//! Certificates: addresses that are never fetched, hosts that misbehave, certificates that do not count.

use crate::sns_signer::{Behaviour, CertificateForm, HOST, PATH, notification, private_key_pem};
use crate::world::{CANARY, NOW, SENT, World, post, sns};
use axum::http::StatusCode;
use serde_json::{Value, json};

fn from(url: &str) -> Value {
    let mut fields = notification(SENT, CANARY);
    fields["SigningCertURL"] = json!(url);
    fields
}

#[tokio::test]
async fn a10_to_a15_no_other_address_is_ever_fetched() {
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
async fn a17_a_redirect_is_not_followed() {
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
async fn a18_a_certificate_that_cannot_be_fetched_is_our_fault_and_is_asked_for_again() {
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
async fn a18_a19_a_host_that_hangs_drips_or_floods_is_left_in_time() {
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
async fn a20_what_is_no_single_certificate_with_an_rsa_key_is_not_used() {
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
async fn a21_a_certificate_out_of_date_or_of_another_name_does_not_count() {
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
async fn a22_ten_thousand_addresses_are_not_fetched_and_known_ones_go_on() {
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
async fn a23_a_new_certificate_is_taken_without_a_restart_and_a_known_one_is_not_fetched_again() {
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
