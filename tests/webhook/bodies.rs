//! Bodies of every kind and pace, other methods and paths, and an intake that cannot keep anything.

use crate::sns_signer::{drip, notification};
use crate::world::{CANARY, SENT, World, post, request};
use axum::body::Body;
use axum::http::{Method, StatusCode};
use futures::{StreamExt as _, stream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

const LIMIT: usize = 2 << 20;

#[tokio::test]
async fn what_is_no_json_is_malformed() {
    let world = World::new().await;
    let good = notification(SENT, CANARY).to_string();
    let nested = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let utf16: Vec<u8> = good.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let invalid = good.clone().into_bytes().into_iter().map(|byte| if byte == b'x' { 0xff } else { byte }).collect();
    let bodies: Vec<(&str, Vec<u8>)> = vec![
        ("empty", vec![]),
        ("a brace", b"{".to_vec()),
        ("a byte order mark", format!("\u{feff}{good}").into_bytes()),
        ("UTF-16", utf16),
        ("invalid UTF-8", invalid),
        ("half a surrogate pair", good.replacen(CANARY, "\\ud800", 1).into_bytes()),
        ("a raw NUL", good.replacen(CANARY, "\0", 1).into_bytes()),
        ("a raw line feed", good.replacen(CANARY, "\n", 1).into_bytes()),
        ("nested", nested.clone().into_bytes()),
        ("nested inside", good.replacen('{', &format!("{{\"a\":{nested},"), 1).into_bytes()),
        ("two objects", format!("{good}{good}").into_bytes()),
        ("a number", b"1e999999".to_vec()),
        ("a gzip header", vec![0x1f, 0x8b, 0x08, 0, 0, 0, 0, 0]),
    ];
    for (case, body) in bodies {
        assert_eq!(world.send_bytes(body).await, StatusCode::BAD_REQUEST, "{case}");
    }
    world.assert_untouched("a39");
}

#[tokio::test]
async fn a_body_of_the_limit_is_read_and_a_larger_one_is_not() {
    let world = World::new().await;
    let padded = |length: usize| {
        let mut body = notification(SENT, "x").to_string();
        body.push_str(&" ".repeat(length - body.len()));
        body
    };
    assert_eq!(world.send_bytes(padded(LIMIT)).await, StatusCode::OK);
    assert_eq!(world.send_bytes(padded(LIMIT + 1)).await, StatusCode::PAYLOAD_TOO_LARGE);
    let announced = [("content-length", "99999999999")];
    assert_eq!(post(&world.router, "{}", &announced).await, StatusCode::PAYLOAD_TOO_LARGE);

    // A gibibyte without a length: only what fits is taken from the stream.
    let taken = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&taken);
    let gibibyte = stream::iter(0..16_384).map(move |_| {
        count.fetch_add(65_536, Ordering::SeqCst);
        Ok::<_, std::io::Error>(vec![b' '; 65_536])
    });
    assert_eq!(world.send_bytes(Body::from_stream(gibibyte)).await, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(taken.load(Ordering::SeqCst) <= LIMIT + 65_536, "{} bytes were taken", taken.load(Ordering::SeqCst));
    assert_eq!(world.kept.notices().len(), 1);
}

#[tokio::test]
async fn a_compressed_body_is_never_unpacked() {
    let world = World::new().await;
    // 1 KiB that would unpack to a mebibyte of zeros; it is no JSON, and that is all anybody looks at.
    let packed = [&[0x1f, 0x8b, 0x08, 0, 0, 0, 0, 0, 2, 3, 0xed, 0xc1][..], &[0x01; 1_000]].concat();
    assert_eq!(post(&world.router, packed, &[("content-encoding", "gzip")]).await, StatusCode::BAD_REQUEST);
    world.assert_untouched("a40");
}

#[tokio::test]
async fn a_body_that_trickles_is_cut_and_others_are_served_meanwhile() {
    let world = World::impatient().await;
    let slow = world.send_bytes(Body::from_stream(drip(b"{")));
    let (slow, quick) = tokio::join!(slow, async { world.send_bytes("{").await });
    assert_eq!((slow, quick), (StatusCode::REQUEST_TIMEOUT, StatusCode::BAD_REQUEST));

    // However many trickle, they hold little, and others are served.
    let trickling: Vec<_> = (0..1_000).map(|_| world.send_bytes(Body::from_stream(drip(b"{")))).collect();
    let (cut, served) = tokio::join!(futures::future::join_all(trickling), async { world.send_bytes("{").await });
    assert!(cut.iter().all(|status| *status == StatusCode::REQUEST_TIMEOUT));
    assert_eq!(served, StatusCode::BAD_REQUEST);
    world.assert_untouched("a41");
}

#[tokio::test]
async fn when_bodies_fill_the_room_others_are_told_to_come_again() {
    let world = World::impatient().await;
    let filling = || {
        let much = stream::iter([Ok::<_, std::io::Error>(vec![b' '; 32 << 10])]);
        world.send_bytes(Body::from_stream(much.chain(stream::pending())))
    };
    let (one, other, turned_away) = tokio::join!(filling(), filling(), async { world.send_bytes("{").await });
    assert_eq!([one, other], [StatusCode::REQUEST_TIMEOUT; 2]);
    assert_eq!(turned_away, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(world.send_bytes("{").await, StatusCode::BAD_REQUEST, "the room is free again");
    world.assert_untouched("a41");
}

#[tokio::test]
async fn other_methods_and_paths_are_refused() {
    let world = World::new().await;
    for (method, path, expected) in [
        (Method::GET, "/sns", StatusCode::METHOD_NOT_ALLOWED),
        (Method::PUT, "/sns", StatusCode::METHOD_NOT_ALLOWED),
        (Method::HEAD, "/sns", StatusCode::METHOD_NOT_ALLOWED),
        (Method::DELETE, "/sns", StatusCode::METHOD_NOT_ALLOWED),
        (Method::OPTIONS, "/sns", StatusCode::METHOD_NOT_ALLOWED),
        (Method::POST, "//sns", StatusCode::NOT_FOUND),
        (Method::POST, "/sns/", StatusCode::NOT_FOUND),
        (Method::POST, "/SNS", StatusCode::NOT_FOUND),
        (Method::POST, "/x/../sns", StatusCode::NOT_FOUND),
        (Method::POST, "/", StatusCode::NOT_FOUND),
    ] {
        let (status, _) = request(&world.router, method.clone(), path, notification(SENT, CANARY).to_string(), &[]).await;
        assert_eq!(status, expected, "{method} {path}");
    }
    world.assert_untouched("a42");
}

#[tokio::test]
async fn what_cannot_be_kept_is_our_fault_and_comes_again() {
    let world = World::impatient().await;
    let fields = notification(SENT, "x");
    *world.kept.is_down.lock().unwrap() = true;
    assert_eq!(world.send(&fields).await, StatusCode::SERVICE_UNAVAILABLE);
    *world.kept.is_down.lock().unwrap() = false;
    *world.kept.hangs.lock().unwrap() = true;
    assert_eq!(world.send(&fields).await, StatusCode::SERVICE_UNAVAILABLE);
    *world.kept.hangs.lock().unwrap() = false;
    assert_eq!(world.kept.notices(), []);
    assert_eq!(world.send(&fields).await, StatusCode::OK);
    assert_eq!(world.kept.notices().len(), 1);
}
