//! A secret that a function logs leaves by no way: not in a message, a file or a picture's text, not in the store, not in what
//! is told to a person.

use super::flows::{token, verdict};
use super::world::{Fake, RULES, Simulated, World};
use rotation_diag::model::{Action, PlatformName, StepName};

/// Pieces of the secrets below; none of them may be found anywhere.
const PIECES: [&str; 12] = [
    "xyzzy-one",
    "xyzzy-two",
    "xyzzythree",
    "xyzzyfour",
    "xyzzyfive",
    "xyzzysix",
    "Xyzzy7seven",
    "xyzzyeight",
    "q83vEjRWeJ0AbCd",
    "Zm9vYmFyEjRWeJ0",
    "Xq7LmZ2vTk9R",
    "bW4sHd8Nf3Jp",
];

fn logged() -> String {
    let token = format!("gh{}_{}", 'p', "Xq7LmZ2vTk9R");
    let lines = [
        "INFO dsn app:xyzzy-one@tcp(orders-db.example.internal:3306)/orders",
        "INFO running mysqldump -uapp -pxyzzy-two orders",
        "INFO sqlplus app/xyzzythree@ORCL",
        "INFO \u{1b}[31mpass\u{ad}word\u{1b}[0m\u{a0}=\u{a0}xyzzyfour",
        "INFO ｐａｓｓｗｏｒｄ＝xyzzyfive",
        "connecting with password=",
        "xyzzysix",
        "{\"password\": \"Xyzzy7seven",
        "and xyzzyeight\", \"host\": \"db\"}",
        "-----BEGIN RSA PRIVATE KEY-----",
        "q83vEjRWeJ0AbCdEfGhIjKlMnOpQrStUvWxYz012q83vEjRWeJ0AbCdEfGhIjKlM",
        "Zm9vYmFyEjRWeJ0A9CdEfGh3jKlMnOpQ7StUvWxYz012q8ZvEjRWe10AbCdEfGhI",
        "-----END RSA PRIVATE KEY-----",
        &format!("remote said {token}"),
        "bW4sHd8Nf3Jp6Yc5Ga1Ue0Do",
    ];
    let quoted: Vec<String> = lines.iter().map(|line| serde_json::to_string(line).unwrap()).collect();
    format!(
        "[[rotation]]\nat = \"-40m\"\noutcome = \"failed\"\nstep = \"setSecret\"\nrun.lines = [{}]\nrun.exception = \"OperationalError: xyzzy FATAL: password authentication failed for user \\\"app\\\"\"\n",
        quoted.join(",\n").replace("\u{1b}", "\\u001b")
    )
}

#[tokio::test]
async fn what_a_function_logs_of_secrets_leaves_by_no_way() {
    let logged = logged();
    let mut world = World::new(RULES, Simulated::new(&[("prod", "role_detached_policy", &logged)])).await;
    let slack = Fake::new(PlatformName::new("slack"));
    world.start(std::slice::from_ref(&slack));
    let root = verdict(&world, &slack).await;
    for (number, (action, answer)) in
        [(Action::Evidence(StepName::FunctionLogs), "Step 4"), (Action::Export, ".json")].into_iter().enumerate()
    {
        world.click(&format!("c{number}"), "U1", &token(&root, action)).await;
        slack.until(answer, |state| state.shown.iter().any(|shown| format!("{:?}", shown.message).contains(answer))).await;
    }
    let shown = format!("{:#?}", slack.shown());
    let ephemeral = slack.with(|state| format!("{:#?}", state.ephemerals));
    let audited = format!("{:?}", world.audit().await);
    let folder = world.end().await;
    let mut stored = String::new();
    for file in std::fs::read_dir(folder.path()).unwrap() {
        stored.push_str(&String::from_utf8_lossy(&std::fs::read(file.unwrap().path()).unwrap()));
    }
    assert!(shown.contains("orders-db.example.internal:3306"), "the lines were not shown at all: {shown}");
    assert!(stored.contains("orders-db.example.internal:3306"), "the lines were not stored at all");
    for piece in PIECES {
        for (place, text) in [("a message", &shown), ("an answer", &ephemeral), ("the audit", &audited), ("the store", &stored)] {
            assert!(!text.contains(piece), "{piece} in {place}");
        }
    }
}
