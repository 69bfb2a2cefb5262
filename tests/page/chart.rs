//! The timeline.

use crate::worlds::investigated;
use rotation_diag::chart::{Size, draw, png};
use rotation_diag::chat::compose;
use rotation_diag::chat::document::Content;

#[tokio::test]
async fn a_timeline_shows_metrics_attempts_and_the_change_behind_them() {
    let investigation = investigated("role_detached_policy").await;
    let chart = draw(&investigation, Size::Wide).unwrap();
    insta::assert_snapshot!(chart.svg());
    let message = compose::chart(&investigation).unwrap();
    assert_eq!(message.attachments[0].name, "prod-orders-db-timeline.png");
    assert_eq!(message.attachments[0].description, *chart.description());
    assert!(matches!(&message.attachments[0].content, Content::Png(picture) if picture.starts_with("iVBORw0KGgo")));
}

/// `CHARTS=folder cargo test --test page` leaves the pictures there, to be looked at.
#[tokio::test]
async fn a_picture_is_sharp_and_small() {
    for (scenario, size) in [
        ("role_detached_policy", Size::Wide),
        ("role_detached_policy", Size::Narrow),
        ("new_code_raises", Size::Wide),
        ("no_concurrency", Size::Wide),
        ("healthy", Size::Wide),
        ("read_flood", Size::Wide),
    ] {
        let chart = draw(&investigated(scenario).await, size).unwrap();
        let picture = png(&chart).unwrap();
        let width = u32::from_be_bytes(picture[16..20].try_into().unwrap());
        assert_eq!(width, if size == Size::Wide { 1920 } else { 780 });
        assert!(picture.len() < 200_000, "{} bytes", picture.len());
        if let Some(folder) = std::env::var_os("CHARTS") {
            std::fs::write(std::path::Path::new(&folder).join(format!("{scenario}-{size:?}.png")), picture).unwrap();
        }
    }
}

#[tokio::test]
async fn where_nothing_has_a_time_there_is_no_timeline() {
    assert!(draw(&investigated("no_such_secret").await, Size::Wide).is_none());
}

#[tokio::test]
async fn hostile_names_stay_text() {
    let mut investigation = investigated("role_detached_policy").await;
    let hostile = "</text><script>alert(1)</script>\u{202e}&\"'\0";
    for change in &mut investigation.diagnosis.changes {
        change.actor = hostile.to_owned();
        change.event = hostile.to_owned();
    }
    let svg = draw(&investigation, Size::Wide).unwrap().svg().to_owned();
    assert!(!svg.contains("<script") && !svg.contains('\u{202e}') && !svg.contains('\0'), "{svg}");
    assert!(svg.contains("&lt;/text&gt;&lt;script&gt;"), "{svg}");
    let mut reader = quick_xml::Reader::from_str(&svg);
    while !matches!(reader.read_event().unwrap(), quick_xml::events::Event::Eof) {}
}
