//! `rotation-diag health`, as a container runs it.

use crate::program;
use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use std::process::Output;
use tokio::net::TcpListener;

/// Asks with this configuration in the environment, as on ECS, where there are no files.
async fn ask(config: String, arguments: &'static [&'static str]) -> (String, String, i32) {
    let run = tokio::task::spawn_blocking(move || {
        let mut command = program(&["health"]);
        command.args(arguments).env("ROTATION_DIAG_CONFIG", "env:ROTATION_DIAG_TOML").env("ROTATION_DIAG_TOML", config);
        // A health check asks its own machine, whatever leads to the world.
        command.env("HTTP_PROXY", "http://127.0.0.1:9").env("http_proxy", "http://127.0.0.1:9");
        command.output().unwrap()
    });
    let Output { status, stdout, stderr } = run.await.unwrap();
    (String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap(), status.code().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bot_that_lives_and_is_not_ready_says_so_by_status_and_words() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let answers = Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(|| async { (StatusCode::SERVICE_UNAVAILABLE, "not ready: store\n") }));
    tokio::spawn(async move { axum::serve(listener, answers).await.unwrap() });
    // A container listens on all addresses.
    let config = format!("[http]\nlisten = \"0.0.0.0:{port}\"\n");
    assert_eq!(ask(config.clone(), &[]).await, ("ok\n".to_owned(), String::new(), 0));
    assert_eq!(ask(config, &["--ready"]).await, ("not ready: store\n".to_owned(), String::new(), 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_nobody_answers_the_status_is_1_and_a_wrong_configuration_is_2() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let (out, told, status) = ask(format!("[http]\nlisten = \"{free}\"\n"), &["--ready"]).await;
    assert_eq!((out.as_str(), status), ("", 1), "{told}");
    assert!(told.contains(&format!("no bot answers on {free}")), "{told}");
    let (_, told, status) = ask("[http]\nlisten = 8080\n".to_owned(), &[]).await;
    assert_eq!(status, 2);
    assert!(told.contains("env:ROTATION_DIAG_TOML has a mistake") && told.contains("line 2: `http.listen`"), "{told}");
}

#[test]
fn a_variable_that_is_not_there_is_named() {
    let output = program(&["health", "--config", "env:NOWHERE"]).output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("the environment variable NOWHERE is not set"), "{told}");
    assert_eq!(output.status.code(), Some(2));
}
