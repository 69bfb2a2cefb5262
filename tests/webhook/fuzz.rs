//! A50: mutations of a valid message are taken only where they mean the same.

use crate::sns_signer::notification;
use crate::world::{SENT, World, post};
use axum::http::StatusCode;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::Value;
use std::cell::Cell;

/// What is done to the bytes of a message.
#[derive(Debug, Clone)]
enum Mutation {
    Replace(usize, u8),
    Insert(usize, u8),
    Remove(usize),
    Double(usize, usize),
    Swap(usize, usize),
    Cut(usize),
}

impl Mutation {
    fn apply(&self, bytes: &mut Vec<u8>) {
        let length = bytes.len();
        let at = |index: &usize| index % length.max(1);
        match self {
            _ if bytes.is_empty() => {}
            Mutation::Replace(index, byte) => bytes[at(index)] = *byte,
            Mutation::Insert(index, byte) => bytes.insert(at(index), *byte),
            Mutation::Remove(index) => drop(bytes.remove(at(index))),
            Mutation::Double(from, count) => {
                let from = at(from);
                let part = bytes[from..(from + count % 40).min(length)].to_vec();
                bytes.splice(from..from, part);
            }
            Mutation::Swap(one, other) => bytes.swap(at(one), at(other)),
            Mutation::Cut(index) => bytes.truncate(at(index)),
        }
    }
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let index = || any::<usize>();
    // Half of the bytes are those that JSON gives a meaning.
    let byte = || prop_oneof![any::<u8>(), prop::sample::select(b"\"\\{}[]:,\n nulltrue0".to_vec())];
    prop_oneof![
        (index(), byte()).prop_map(|(index, byte)| Mutation::Replace(index, byte)),
        (index(), byte()).prop_map(|(index, byte)| Mutation::Insert(index, byte)),
        index().prop_map(Mutation::Remove),
        (index(), index()).prop_map(|(from, count)| Mutation::Double(from, count)),
        (index(), index()).prop_map(|(one, other)| Mutation::Swap(one, other)),
        index().prop_map(Mutation::Cut),
    ]
}

#[test]
fn a50_a_mutated_message_is_taken_only_where_every_signed_field_is_the_same() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let world = runtime.block_on(World::new());
    let original = notification(SENT, "x");
    let body = original.to_string().into_bytes();
    let (taken, refused) = (Cell::new(0), Cell::new(0));
    let config = Config { cases: 10_000, failure_persistence: None, ..Config::default() };
    let checked = TestRunner::new(config).run(&prop::collection::vec(mutation(), 1..4), |mutations| {
        let mut bytes = body.clone();
        mutations.iter().for_each(|mutation| mutation.apply(&mut bytes));
        match runtime.block_on(post(&world.router, bytes.clone(), &[])) {
            StatusCode::OK => {
                taken.set(taken.get() + 1);
                let read: Value = serde_json::from_slice(&bytes).unwrap();
                for field in ["Type", "MessageId", "TopicArn", "Subject", "Message", "Timestamp", "SignatureVersion"] {
                    prop_assert_eq!(&read[field], &original[field]);
                }
            }
            status => {
                refused.set(refused.get() + 1);
                prop_assert!(status.is_client_error() || status == StatusCode::SERVICE_UNAVAILABLE, "{}", status);
            }
        }
        Ok(())
    });
    checked.unwrap();
    assert!(refused.get() > 5_000 && taken.get() > 10, "{refused:?} refused, {taken:?} taken");
    assert!(world.kept.notices().len() <= 1);
}
