//! A copy of the store, made while it is in use, and put back as docs/operations.md says.

use crate::{program, said};
use rotation_diag::clock::Clock;
use rotation_diag::store::{Audited, Store};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Output;

async fn note(store: &Store, what: &str) {
    store.audit(&Audited::system("noted", what, "")).await.unwrap();
}

/// `rotation-diag backup`, beside whoever has the store.
fn back_up(folder: &Path, name: &str) -> Output {
    let (config, copy) = (folder.join("config.toml"), folder.join(name));
    program(&["backup", "--config", config.to_str().unwrap(), copy.to_str().unwrap()]).output().unwrap()
}

fn audit(folder: &Path) -> String {
    said(program(&["audit", "--config", folder.join("config.toml").to_str().unwrap()])).0
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_made_in_use_is_whole_and_put_back_it_is_the_store_of_then() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    fs::write(folder.path().join("config.toml"), format!("[store]\npath = \"{}\"\n", path.display())).unwrap();
    let store = Store::open(&path, Clock::system()).await.unwrap();
    for number in 0..100 {
        note(&store, &format!("before-{number}")).await;
    }
    let made = back_up(folder.path(), "copy.db");
    assert!(made.status.success(), "{made:?}");
    let copy = folder.path().join("copy.db");
    assert_eq!(fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o600, "others can read it");
    note(&store, "after").await;
    store.close().await;
    drop(store);
    assert!(audit(folder.path()).contains("after"));

    // As docs/operations.md says: the bot is stopped, its log goes, the copy takes the store's place.
    for leftover in ["store.db-wal", "store.db-shm"] {
        let _ = fs::remove_file(folder.path().join(leftover));
    }
    fs::rename(&copy, &path).unwrap();
    let store = Store::open(&path, Clock::system()).await.unwrap();
    assert!(store.is_healthy().await);
    let lines = audit(folder.path());
    assert!(lines.contains("before-0") && lines.contains("before-99") && !lines.contains("after"), "{lines}");
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_is_there_is_written_over_and_no_half_copy_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    fs::write(folder.path().join("config.toml"), format!("[store]\npath = \"{}\"\n", path.display())).unwrap();
    let status_and_answer_text = |output: Output| (output.status.code(), String::from_utf8(output.stderr).unwrap());
    let (status, why) = status_and_answer_text(back_up(folder.path(), "copy.db"));
    assert_eq!(status, Some(1));
    assert!(why.contains("there is no such file"), "{why}");
    let store = Store::open(&path, Clock::system()).await.unwrap();
    fs::write(folder.path().join("precious.db"), "mine").unwrap();
    let (status, why) = status_and_answer_text(back_up(folder.path(), "precious.db"));
    assert_eq!(status, Some(1));
    assert!(why.contains("precious.db cannot be written") && why.contains("name a file that does not exist yet"), "{why}");
    assert_eq!(fs::read_to_string(folder.path().join("precious.db")).unwrap(), "mine");
    assert_eq!(status_and_answer_text(back_up(folder.path(), "nowhere/copy.db")).0, Some(1));
    store.close().await;
    // Damaged in the middle, where its beginning still looks well.
    let mut bytes = fs::read(&path).unwrap();
    let (from, to) = (bytes.len() / 3, bytes.len() / 3 * 2);
    bytes[from..to].fill(0xa5);
    fs::write(&path, bytes).unwrap();
    assert_eq!(status_and_answer_text(back_up(folder.path(), "copy.db")).0, Some(1));
    assert!(!folder.path().join("copy.db").exists(), "half a copy is left");
}
