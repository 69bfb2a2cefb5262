//! How far what is hidden reaches: in each row the marked part is hidden, and nothing else.

use rotation_diag::redact::{Redactor, looks_like_a_value};

/// What `LINE` stands for in a row: a full line of a private key in base64.
const LINE: &str = "q83vEjRWeJ0AbCdEfGhIjKlMnOpQrStUvWxYz012q83vEjRWeJ0AbCdEfGhIjKlM";

/// What `LONG` stands for: a value of 300 bytes, which is more than what is joined of a line.
fn long() -> String {
    "Xq7LmZ2vTk9R".repeat(25)
}

/// A row without its marks, and the row as it is shown, with a dot for everything hidden.
fn row(row: &str) -> (String, String) {
    let row = row.replace("LINE", LINE).replace("LONG", &long());
    let mut shown = String::new();
    for (at, part) in row.split(['«', '»']).enumerate() {
        shown.push_str(if at % 2 == 0 { part } else { "•" });
    }
    (row.replace(['«', '»'], ""), dotted(&shown))
}

/// A text with a dot for each marker.
fn dotted(text: &str) -> String {
    let marker = regex::Regex::new(r"\[hidden: [a-z ]+\]").unwrap();
    marker.replace_all(text, "•").into_owned()
}

fn assert_exact(rows: &[&str]) {
    let mut wrong = Vec::new();
    for marked in rows {
        let (text, expected) = row(marked);
        let redacted = Redactor::default().redact(&text);
        let shown = dotted(redacted.text.as_str());
        if shown != expected || redacted.count != marked.matches('«').count() {
            wrong.push(format!("{marked:?}: {shown:?}, {} hidden", redacted.count));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Each row is the lines of a log; only what crosses from one to the next is hidden here.
fn assert_exact_lines(rows: &[&[&str]]) {
    let mut wrong = Vec::new();
    for marked in rows {
        let (mut lines, expected): (Vec<String>, Vec<String>) = marked.iter().map(|line| row(line)).unzip();
        let count = Redactor::default().redact_lines(&mut lines.iter_mut().collect::<Vec<_>>());
        let shown: Vec<String> = lines.iter().map(|line| dotted(line)).collect();
        if shown != expected || count != marked.concat().matches('«').count() {
            wrong.push(format!("{marked:?}: {shown:?}, {count} hidden"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_a_tool_is_told_is_hidden_and_nothing_beside_it() {
    assert_exact(&[
        "isql -v orders app «Xq7LmZ2vTk9R»",
        "smbmap -H db -u app -p «Xq7LmZ2vTk9R»",
        "7za a -p«Xq7LmZ2vTk9R» orders.7z",
        "rar a -hp«Xq7LmZ2vTk9R» orders.rar",
        "lftp -u app,«Xq7LmZ2vTk9R» sftp://db",
        "mc alias set store https://db app «Xq7LmZ2vTk9R»",
        "xfreerdp /v:db /u:app /p:«Xq7LmZ2vTk9R»",
        "cmdkey /add:db /user:app /pass:«orders»",
        "schtasks /create /tn rotate /ru app /rp «Xq7LmZ2vTk9R»",
        "snmpwalk -v3 -u app -A «Xq7LmZ2vTk9R» -X «plugh-Gr4vel8» db",
        "12:00:00 redis-cli -a=«Xq7LmZ2vTk9R» -n db",
        "sshpass -p -p«Xq7LmZ2vTk9R» ssh db",
        "12:00:00 curl -uapp:«Xq7LmZ2vTk9R» https://db/x",
        "sqlplus app/@ORCL app/«tiger»@ORCL",
        "mysql -p'«Xq7L mZ2vTk9R»' orders",
        r#"curl -A"some agent" -u app:«Xq7LmZ2vTk9R» https://db/x"#,
        r#"["docker login", "-p", "«Xq7LmZ2vTk9R»"]"#,
        "curl -s \r -u app:«Xq7LmZ2vTk9R»",
        "redis-cli -a \\\n  «Xq7LmZ2vTk9R» ping",
        r"redis-cli -a «\n» done",
        "redis-cli -a «\\\\»\n done",
        "echo -n «Xq7LmZ2vTk9R» | passwd --stdin app",
        "echo «-Xq7LmZ2vTk9R» | kinit app",
        "12:00:00 echo app:«Xq7LmZ2vTk9R» | chpasswd",
        "net user app «Xq7LmZ2vTk9R» /add",
        "keytool -storepass '«Xq7L mZ2vTk9R»' -list",
        r#"sh -c "keytool -storepass «Xq7LmZ2vTk9R»""#,
        // The same letter is another option of another tool, and a path is no user with a password.
        "wget -w 30s -X /tmp -A zip https://db.example.internal/x",
        "sqlldr ../load/orders.ctl",
        "curl -sS https://db.example.internal/x",
        "keytool-pass orders",
    ]);
}

#[test]
fn of_a_connection_string_or_a_statement_the_password_alone_is_hidden() {
    assert_exact(&[
        "app%:«Xq7LmZ2vTk9R»@tcp(db:3306)/orders",
        "!:app:«Xq7LmZ2vTk9R»@tcp(db:3306)/orders",
        "app:«Xq7LmZ2vTk9R»@db:5432 owner ops@example.com",
        "app:«Xq7Lm@Z2vTk9R»@db:5432",
        r#"dsn:"app:«Xq7LmZ2vTk9R»@tcp(db:3306)/orders""#,
        "app:«orders»@db:5432",
        "app:«Xq7LmZ2vTk9R»@db",
        "app/«Xq7L/mZ2vTk9R»@//db/orders",
        "app/«tiger»@db:1521",
        r#""db:5432:orders:app:«Xq7LmZ2vTk9R»" is read"#,
        "SET PASSWORD TO '«Xq7LmZ2vTk9R»'",
        "EXEC sp_addlogin 'app1x', '«Xq7LmZ2vTk9R»'",
        "ALTER USER app PASSWORD $tag_1$«Xq7L mZ2vTk9R»$tag_1$ VALID",
        "ACL SETUSER app on >«Xq7LmZ2vTk9R» ~*",
        "AUTH «Xq7LmZ2vTk9R» failed",
        "app:«a/b»@db:5432",
        "app/«Xq7L$mZ2v:»@db:1521/x",
        "app:«orders,:main»@tcp(db:3306)/orders",
        "app/«t1ger2x»@orcl",
        "db:5432:orders:app:«LONG»",
        // A path, an image, a version, an address of mail and a variable stay.
        "12:30@db:5432",
        "orders:v7r2@sha256:4c8f1b2d9e7a6035",
        "app:orders@db,5",
        "@team/r7Kq2vXz@next",
        "app/web7x@2",
        "app/tiger@db:/orders",
        "prod/al1ce7x@example.com",
        ":5432:orders:app:orders",
        "ALTER USER app; password rotated",
        "ALTER USER app and note that password rotated9 is next",
        "CREATE OR REPLACE orders9x",
        "CONNECT /dev/ttyUSB0",
        "~/orders:r7Kq2@db:22",
        "db:5432:orders::r7Kq2vXz9",
        "prod/team1/orders2@//db/orders",
        "SET PASSWORD = PASSWORD(r7Kq2)",
    ]);
}

#[test]
fn an_assigned_value_is_hidden_from_its_quote_to_its_end() {
    assert_exact(&[
        "<password><![CDATA[«Xq7LmZ2vTk9R»",
        "ParameterKey=password,ParameterValue=«Xq7LmZ2vTk9R»",
        "PASSWORD ('«Xq7LmZ2vTk9R»')",
        "https://db/?password=«Xq7LmZ2vTk9R»&x=1",
        r#"{"password":«Xq7LmZ2vTk9R»}"#,
        r#"password = string("«Xq7LmZ2vTk9R»")"#,
        r#"password="«<Xq7LmZ2vTk9R»""#,
        "EXECUTE 'ALTER USER app PASSWORD ''«Xq7L mZ2vTk9R»'''",
        r#"password="«Xq7L\\»" done"#,
        "password=«<Xq7LmZ2vTk9R»",
        "password: «orders»\nnext",
        "password = «self.orders»",
        "connect(password=«passwort1,» user=user)",
        "password=«load(x)»",
        "password = «Load.x9(»",
        r#"password = «a1.get("x»")"#,
        r"password=«tiger9Xq\nnext»",
        "['--password', '«Xq7LmZ2vTk9R»', '--host']",
        // Words, types, code and placeholders are no values.
        "x.password,value=release7",
        "password:\n  release7 is next",
        r#"password="?""#,
        "password='' and more",
        "\"password\":\n  s3t is next",
        "password:\n  string(7)",
        "my password>release7</p>",
        "--password -h db",
        "password: it's set",
        r#"password = env("PW")"#,
        "password = Event['Token']",
    ]);
}

#[test]
fn a_name_says_how_much_of_its_value_is_secret() {
    assert_exact(&[
        r#"passwords: ( "«Xq7LmZ2vTk9R", "plugh-Gr4vel8»" )"#,
        r#"passwords: "«Xq7LmZ2vTk9R»", "orders""#,
        "pass=«1234»",
        "the token is «Xq7LmZ2vTk9R8pQw»",
        "token: «ORDERS»",
        "token=«orders»",
        r#"SecretString=«{"a": 1}» x"#,
        r#"SecretString="«{"a": "x"}»" x"#,
        "Cookie: «a=b; c=d»\r\nHost: db",
        // Names, counts, ids and hashes behind the same names stay.
        "secret=Orders_Database",
        "secret=Ab1",
        r#"passwords: "Ask ops.""#,
        "pass:orders",
        "the token is orders12",
        "GITHUB_AUTH=q7k2m9x4.c8f1b2",
        "GITHUB_AUTH=q7k2m9x4!c8f1b2",
        "GITHUB_AUTH=12345678901234",
        "secret=kX9drTJvcXLB89-XLCiH9ZyjzA0CWIbz2Vg5oU/I",
        "x_seed=4c8f1b2d9e7a60354c8f1b2d9e7a6035",
        "X-Amz-Signature=4c8f1b2d9e7a603",
    ]);
}

#[test]
fn of_a_sentence_the_value_alone_is_hidden() {
    assert_exact(&[
        "password: |\n    «Xq7LmZ2v\n      Tk9Rplugh»\n  user: app",
        r#"password: |\n  «Xq7LmZ2v»" x"#,
        "password «xqzvkwjpgh9» was rejected",
        "password is «prodX-App9»",
        "password is «ab-1x2y»",
        "password is «Rotation#Lambda»",
        "password\n  Input should be valid [type=string_type, input_value=«12345», input_type=int]",
        r#"IDENTIFIED BY %s ["app", "«Xq7LmZ2v»"]"#,
        "the password is «LONG»",
        // What is told about a password stays.
        "password: |\nuser: app",
        "the password for one two three: release7x",
        "password isRelease7x",
        r#"password is "{Xq7L""#,
        "password is Xq7L2",
        "password is (release7x",
        "password is arn:aws9",
        "password is ORA-28003",
        "password is RotationLambda",
        "password\n  Input should be valid [type=string_type, input_value=None, input_type=NoneType]",
        "password\n  Input should be valid [type=string_type, input_value=, input_type=int]",
    ]);
}

#[test]
fn a_secret_of_its_own_shape_is_hidden_from_its_first_character_to_its_last() {
    assert_exact(&[
        r"x\n«xoxb-12345678-abcdefgh» y",
        "x%3D«xoxb-12345678-abcdefgh» y",
        "x_«xoxb-12345678-abcdefgh» y",
        "id «AKIAQ3EGRIGSN7VPL2XY» 9drTJvcXLB89EXLCiH9Zyjz+0CWIbz2Vg5oUIh3KZ x",
        "id «AKIAABCDEFABABABABAB» x",
        "id «q7k2m9x4c8f1b2.atlasv1.q7k2m9x4c8f1b2d9e7a6q7k2m9x4c8q7k2m9x4c8f1b2» x",
        "id «q7k2m9_q7k2m9x4c8f1b2d9e7a6q7k2m9x4c8_mmk»-x",
        r"Private-Lines: 1\r\n«Zm9vYmFyEjRWeJ0A9CdEfGh3jKlM\r\n»Private-MAC: «4c8f1b2d9e7a»",
        "x «-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----» x",
        "id «12345678:AAq7k2m9x4c8f1b2d9e7a6q7k2m9x4c8q7x» x",
        "Bearer «Author9zation»",
        "id «LINE\nq83vEjRWeJ0AbCdEfGhIjKlMnOpQrStU»\n- x",
        "id «AKIAQ3EGRIGSN7VPL2XY»/9drTJvcXLB89EXLCiH9Zyjz+0CWIbz2Vg5oUIh3 x",
        // What is too short, too plain or part of a longer word stays.
        "id q83vejrwej0abcdefghijklmnopqrstuvwxyz012q83vejrwej0abcdefghijklm\nLINE\nx",
        "https://app:release7",
        "id LINE\nq83vEjRWeJ0AbCdEfGhIjKlMnOpQrSt\n- x",
    ]);
}

#[test]
fn of_lines_only_what_is_cut_over_them_is_hidden() {
    assert_exact_lines(&[
        &["password=Xq7LmZ2v", "20240501x done"],
        &["password=«Xq7L»", "«mZ2vTk9R» token=Zq8Lp0WvXk"],
        &["password=«Xq7L»", "«AKIAQ3EGRIGSN7VPL2XY/mZ2v»"],
        &["id «AKIAQ3E»", "«GRIGSN»", "«7VPL2XY» next"],
        &["20.4-05-01T12:00:00 password:", "«20.4-05-01T12:00:00» more"],
        &["2024-05-01T12:00:00.000000+00:00 the password:", "2024-05-01T12:00:00.000000+00:00 «Xq7LmZ2vTk9R» next"],
        &[
            "[INFO]\t2024-05-01T12:00:00.000Z\t3f1c2d4e-0000-4000-8000-123456789012\tpassword=Xq7L",
            "[INFO]\t2024-05-01T12:00:00.000Z\t3f1c2d4e-0000-4000-8000-123456789012\tmZ2vTk9R",
        ],
        &["password:", "\t«2024-05-01T12:00:00.000Z»\tmore"],
        &["password:", "«a»\tb\t2024-05-01T12:00:00.000x\tmore"],
        &["password:", "START RequestId: x", "«Xq7LmZ2vTk9R»"],
        &[
            "-----BEGIN RSA PRIVATE KEY-----",
            "orders",
            "the line 1",
            "the line 2",
            "the line 3",
            "«Zm9vYmFyEjRWeJ0A9CdEfGh3jKlM»",
            "-----END RSA PRIVATE KEY-----",
        ],
        &[
            "-----BEGIN RSA PRIVATE KEY-----",
            "the 1 x",
            "the 2 x",
            "the 3 x",
            "the 4 x",
            "the 5 x",
            "Zm9vYmFyEjRWeJ0A9CdEfGh3jKlM",
        ],
        &[
            "«-----BEGIN RSA PRIVATE KEY-----»",
            "«Zm9vYmFyEjRWeJ0A9CdEfGh3jKlM»",
            "the 1 x",
            "the 2 x",
            "the 3 x",
            "the 4 x",
            "«Zm9vYmFyEjRWeJ0A9CdEfGh3jKlM»",
        ],
        &["-----BEGIN CERTIFICATE-----", "the 1 x", "the 2 x", "the 3 x", "the 4 x", "the 5 x", "«LINE»", "«LINE»"],
        &[r#"«"Zm9vYmFyEjRWeJ0A9CdEfGh3jKlM\n",»"#, "-----END RSA PRIVATE KEY-----"],
        &[
            "Public-Lines: 2",
            "LINE",
            "LINE",
            "Private-Lines: 1",
            "«Zm9vYmFyEjRWeJ0A9CdEfGh3jKlM»",
            "Private-MAC: 4c8f1b2d9e7a6035",
            "Zm9vYmFyEjRWeJ0A9CdEfGh3jKlM",
        ],
        &["-----BEGIN RSA PRIVATE KEY----- x -----END RSA PRIVATE KEY-----", "Zm9vYmFyEjRWeJ0A9CdEfGh3jKlM"],
        &["-----BEGIN CERTIFICATE-----", "the 1 x", "the 2 x", "the 3 x", "the 4 x", "LINE", "LINE"],
        &["saved\npassword=«Xq7L»", "«mZ2v»", "«Tk9R» next"],
        &["saved password=«LONG»", "«Tk9R»"],
        &["saved password=«Xq7L»", "«LONG» next"],
        &["2024-05-01T12:00:00.000 password:", "«2024-05-01T12:00:00.000» more"],
    ]);
}

#[test]
fn a_pasted_word_is_told_from_a_name_by_its_signs_and_its_randomness() {
    // The longest name of a secret, and one character more.
    let path = |length: usize| "orders-main/".chars().cycle().take(length).collect::<String>();
    let (longest, longer) = (path(512), path(513));
    for value in ["Xqzvk#mWpt$gh", "$Xq7LmZ2v#", "Xq7LmZ2vTk9R", "q83v/jRW+J0=", "qzXkVwJpGhTbNcRmYsLd", &longer] {
        assert!(looks_like_a_value(value), "{value}");
    }
    for name in [
        "Xqzvkm#Wptgh",
        "orders2024!",
        "orders.mai==",
        "Aws/Xq7LmZ2vW9pTq/4c8f1b2d9e7a6035",
        "Xq7L@m.Z2v",
        "DbPrdMgmtXvc4C8F1B2D",
        &longest,
    ] {
        assert!(!looks_like_a_value(name), "{name}");
    }
}
