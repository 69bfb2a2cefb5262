//! Secrets that are cut over the events of a log.

use rotation_diag::redact::{Redactor, SafeText};

/// The lines as they leave: joined with their neighbours first, then each by itself.
fn shown(lines: &[&str]) -> Vec<String> {
    let mut lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
    Redactor::default().redact_lines(&mut lines.iter_mut().collect::<Vec<_>>());
    lines.iter().map(|line| SafeText::redact(line).as_str().to_owned()).collect()
}

const KEY_LINES: [&str; 4] = [
    "q83vEjRWeJ0AbCdEfGhIjKlMnOpQrStUvWxYz012q83vEjRWeJ0AbCdEfGhIjKlM",
    "Zm9vYmFyEjRWeJ0A9CdEfGh3jKlMnOpQ7StUvWxYz012q8ZvEjRWe10AbCdEfGhI",
    "x83vE7RWeJ0Ab6dEfG2IjKlMn8pQrSt4vWxYz0Q2q83vEjRW9J0AbCdE5GhIjKlM",
    "q83vEjRWeJA=",
];

#[test]
fn what_is_cut_over_events_is_hidden_in_all_of_them() {
    let token = "Xq7LmZ2vTk9RbW4sHd8Nf3Jp6Yc5Ga1Ue0Do";
    let github = format!("gh{}_{token}", 'p');
    for (what, lines, secrets) in [
        ("a name in one event, the value in the next", vec!["connecting, password=", "xyzzy9"], vec!["xyzzy9"]),
        ("the same with line breaks", vec!["password:\n", "xyzzy9\n"], vec!["xyzzy9"]),
        ("a value cut within its quotes", vec!["{\"password\": \"xyz", "zy9plugh\", \"host\": \"db\"}"], vec!["xyz", "zy9plugh"]),
        ("a value that is cut without quotes", vec!["env PGPASSWORD=xyzzy9", "plugh7 psql -h db"], vec!["xyzzy9", "plugh7"]),
        ("a name cut in two", vec!["{\"passw", "ord\": \"xyzzy\"}"], vec!["xyzzy"]),
        ("an option", vec!["mysqldump --password", "xyzzy orders"], vec!["xyzzy"]),
        ("a header", vec!["Authorization: Bearer", "xyzzy.plugh-9"], vec!["xyzzy", "plugh"]),
        (
            "a pretty printed document",
            vec!["{", "  \"username\": \"app\",", "  \"password\":", "    \"xyzzy\"", "}"],
            vec!["xyzzy"],
        ),
        (
            "a secret's value cut over two events",
            vec![
                "Response body: b'{\"Name\":\"n\",\"SecretString\":\"{\\\\\"u\\\\\":\\\\\"xy",
                "zzy\\\\\"}\",\"VersionId\":\"v\"}'",
            ],
            vec!["zzy"],
        ),
        ("an access key", vec!["key ASIAXYZZY2", "XYZZY2PLUG used"], vec!["XYZZY2PLUG"]),
        (
            "Lambda's JSON format",
            vec![
                r#"{"timestamp":"2025-11-22T05:00:00Z","level":"INFO","message":"password=","requestId":"r"}"#,
                r#"{"timestamp":"2025-11-22T05:00:00Z","level":"INFO","message":"xyzzy9","requestId":"r"}"#,
            ],
            vec!["xyzzy9"],
        ),
        (
            "Lambda's text format",
            vec![
                "[INFO]\t2025-11-22T05:00:00.000Z\t3f1c2d4e-0000-4000-8000-123456789012\tpassword:\n",
                "[INFO]\t2025-11-22T05:00:00.001Z\t3f1c2d4e-0000-4000-8000-123456789012\txyzzy9\n",
            ],
            vec!["xyzzy9"],
        ),
    ] {
        let shown = shown(&lines);
        for secret in secrets {
            assert!(!shown.concat().contains(secret), "{what}: {shown:?}");
        }
        assert_eq!(shown.len(), lines.len());
    }
    for cut in 1..github.len() {
        let (head, tail) = github.split_at(cut);
        let first = format!("remote said {head}");
        let second = format!("{tail} is not valid");
        let shown = shown(&[&first, &second]).concat();
        for piece in token.as_bytes().chunks_exact(8) {
            let piece = std::str::from_utf8(piece).unwrap();
            assert!(!shown.contains(piece), "{cut}: {shown}");
        }
        assert!(shown.ends_with(" is not valid"), "{cut}: {shown}");
    }
    let (a, rest) = github.split_at(12);
    let (b, c) = rest.split_at(14);
    assert!(!shown(&[a, b, c]).concat().contains(b));
}

#[test]
fn a_private_key_printed_line_by_line_is_hidden_with_and_without_its_first_line() {
    let logged = |line: &&str| format!("[INFO]\t2025-11-22T05:00:00.000Z\t3f1c2d4e-0000-4000-8000-123456789012\t{line}\n");
    let json = |line: &&str| serde_json::json!({"level": "INFO", "message": line, "requestId": "r"}).to_string();
    let plain = |line: &&str| (*line).to_owned();
    for (begin, end) in [
        (vec!["-----BEGIN RSA PRIVATE KEY-----"], vec!["-----END RSA PRIVATE KEY-----"]),
        (vec!["-----BEGIN OPENSSH PRIVATE KEY-----"], vec![]),
        (
            vec!["-----BEGIN RSA PRIVATE KEY-----", "Proc-Type: 4,ENCRYPTED", "DEK-Info: AES-256-CBC,0A1B", ""],
            vec!["-----END RSA PRIVATE KEY-----"],
        ),
        (vec!["-----BEGIN PGP PRIVATE KEY BLOCK-----", "Version: GnuPG v2", ""], vec!["-----END PGP PRIVATE KEY BLOCK-----"]),
        (vec!["Private-Lines: 4"], vec!["Private-MAC: 0a1b2c3d4e5f60718293"]),
        (vec![], vec!["-----END PRIVATE KEY-----"]),
        (vec![], vec![]),
    ] {
        let mut lines = vec!["setSecret: connecting"];
        lines.extend(&begin);
        lines.extend(KEY_LINES);
        lines.extend(&end);
        lines.push("FATAL: password authentication failed for user \"app\"");
        for form in [&logged as &dyn Fn(&&str) -> String, &json, &plain] {
            let lines: Vec<String> = lines.iter().map(form).collect();
            let shown = shown(&lines.iter().map(String::as_str).collect::<Vec<_>>());
            for line in KEY_LINES {
                assert!(!shown.concat().contains(line), "{begin:?} {shown:#?}");
            }
            assert!(shown.last().unwrap().contains("password authentication failed for user"), "{shown:#?}");
            assert_eq!(shown.first(), lines.first());
        }
    }
}

#[test]
fn the_lines_of_a_key_in_one_text_are_hidden_without_its_first_line_and_those_of_a_certificate_stay() {
    let body = KEY_LINES.join("\n");
    let shown = Redactor::default().redact(&format!("of the file\n{body}\n\n(end) password=xyzzy"));
    assert!(KEY_LINES.iter().all(|line| !shown.text.as_str().contains(line)), "{}", shown.text);
    assert!(shown.text.as_str().starts_with("of the file\n[hidden: private key]"), "{}", shown.text);
    assert!(shown.text.as_str().ends_with("(end) password=[hidden: password]") && shown.count == 2, "{}", shown.text);
    let public = format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----");
    assert_eq!(SafeText::redact(&public).as_str(), public);
}

#[test]
fn lines_of_others_between_those_of_a_key_stay() {
    let platform = "START RequestId: 3f1c2d4e-0000-4000-8000-123456789012 Version: $LATEST\n";
    let lines = ["-----BEGIN PRIVATE KEY-----\n", KEY_LINES[0], platform, KEY_LINES[1], "password:\n", platform];
    let shown = shown(&lines);
    assert_eq!(shown[2], platform);
    assert_eq!(shown[5], platform);
    assert!(!shown.concat().contains(KEY_LINES[1].split_at(20).0));
}

#[test]
fn neighbours_that_only_touch_stay_as_they_are() {
    for lines in [
        vec![
            "START RequestId: 1 Version: 2\n",
            "setSecret: Unable to set password:\n",
            "the database refused the connection\n",
            "END RequestId: 1\n",
        ],
        vec!["checking password", "'orders' user was updated"],
        vec!["Setting password:", "psycopg2.OperationalError: FATAL: no pg_hba.conf entry"],
        vec!["sha256:9f86d081884c7d659a2feaa0c55ad015", "a3bf4f1b2b0b822cd15d6c15b0f00a08"],
        vec!["-----BEGIN CERTIFICATE-----", KEY_LINES[0], KEY_LINES[1], "-----END CERTIFICATE-----", "done"],
        vec!["x-amz-id-2: vlR7PnpV2Ce81l0PRw6jlUpck7Jo5ZsQjryTjKlc5aLWGVHPZLj5NeC6qMa0emYBDXOo6QBU0Wo=", "retrying"],
        vec!["CodeSha256: 47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="],
    ] {
        assert_eq!(shown(&lines), lines);
    }
}

#[test]
fn no_known_line_is_changed_by_its_neighbours() {
    #[derive(serde::Deserialize)]
    struct Line {
        text: String,
    }
    for file in [include_str!("../data/log-lines.jsonl"), include_str!("../data/log-lines-more.jsonl")] {
        let mut lines: Vec<String> = file
            .lines()
            .map(|line| serde_json::from_str::<Line>(line).unwrap().text)
            // One quotes a password that is none.
            .filter(|text| !text.contains("password=abc"))
            .collect();
        for _ in 0..2 {
            let shown = shown(&lines.iter().map(String::as_str).collect::<Vec<_>>());
            let changed: Vec<_> = lines.iter().zip(&shown).filter(|(before, after)| before != after).collect();
            assert!(changed.is_empty(), "{changed:#?}");
            lines.reverse();
        }
    }
}
