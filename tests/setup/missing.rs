//! Each thing that can be missing is named, with what to do, and nothing else is complained about.

use crate::chats::{SLACK_TOKENS, discord_config, in_slack, slack_config};
use crate::documents::{ALARMS, WEB_CONSOLE, toml};
use crate::fake_aws::{FakeAws, Topic};
use crate::fake_discord::{CHANNEL, FakeDiscord, GUILD, Lacking, TOKEN};
use crate::fake_slack::{BOT_TOKEN, FakeSlack, Fault};
use crate::workplace::{ProgramOutput, Workplace};
use rotation_diag::clock::Clock;
use rotation_diag::store::Store;

/// A bot in Slack that lacks nothing, but for what `change` changes.
async fn in_fake_slack(change: impl FnOnce(&FakeSlack, &mut Workplace), config: impl FnOnce(String) -> String) -> ProgramOutput {
    let (slack, aws) = (FakeSlack::start().await, FakeAws::start("").await);
    let mut workplace = Workplace::new(&aws);
    for (name, token) in SLACK_TOKENS {
        workplace.set(name, token);
    }
    workplace.write(&config(slack_config()), &[("[slack]", format!("api_url = \"{}\"", slack.api_url()))]);
    change(&slack, &mut workplace);
    workplace.check().await
}

async fn in_fake_discord(change: impl FnOnce(&FakeDiscord), config: impl FnOnce(String) -> String) -> ProgramOutput {
    let (discord, aws) = (FakeDiscord::start().await, FakeAws::start("").await);
    let mut workplace = Workplace::new(&aws);
    workplace.set("DISCORD_BOT_TOKEN", TOKEN);
    workplace.write(&config(discord_config()), &[("[discord]", format!("api_url = \"{}\"", discord.api()))]);
    change(&discord);
    let said = workplace.check().await;
    discord.with(|world| assert_eq!(world.violations, Vec::<String>::new()));
    said
}

/// A bot with alarms that lacks nothing, but for what `change` changes of the topic and `config` of the configuration.
async fn with_alarms(more: &str, change: impl FnOnce(&mut Topic), config: impl FnOnce(String) -> String) -> ProgramOutput {
    let (slack, aws) = (FakeSlack::start().await, FakeAws::start(more).await);
    let mut workplace = Workplace::new(&aws);
    for (name, token) in SLACK_TOKENS {
        workplace.set(name, token);
    }
    let text = format!("{}\n{}", slack_config(), in_slack(&toml(ALARMS)));
    let mut topic = Topic::confirmed("arn:aws:sns:eu-west-1:123456789012:rotation-diag", "https://bot.example.com/sns");
    change(&mut topic);
    aws.deploy(topic);
    workplace.write(&config(text), &[("[slack]", format!("api_url = \"{}\"", slack.api_url()))]);
    workplace.check().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_missing_in_slack_is_named() {
    let same = |text: String| text;
    in_fake_slack(|_, _| {}, same).await.is_healthy();
    let other = |text: String| text.replace("\"T1\"", "\"T2\"");
    in_fake_slack(|_, _| {}, other).await.misses(&["names the workspace T2, and the bot token is of T1"]);
    let swapped = in_fake_slack(|_, workplace| workplace.set("SLACK_APP_TOKEN", BOT_TOKEN), same).await;
    swapped.misses(&["SLACK_APP_TOKEN holds the bot token (xoxb-…), and here belongs one that begins with xapp-"]);
    let swapped = in_fake_slack(|_, workplace| workplace.set("SLACK_BOT_TOKEN", "xapp-1-x"), same).await;
    swapped.misses(&["SLACK_BOT_TOKEN holds the app-level token (xapp-…)"]);
    let revoked = in_fake_slack(|_, workplace| workplace.set("SLACK_APP_TOKEN", "xapp-1-revoked"), same).await;
    revoked.has("✓ Slack: the token works").misses(&["does not accept the app-level token (invalid_auth)"]);
    let revoked = in_fake_slack(|_, workplace| workplace.set("SLACK_BOT_TOKEN", "xoxb-revoked"), same).await;
    revoked.misses(&["Slack does not let the bot in"]);
    let unscoped = |slack: &FakeSlack, _: &mut Workplace| slack.fault("apps.connections.open", Fault::Code("missing_scope"));
    in_fake_slack(unscoped, same).await.misses(&["the app-level token lacks the scope connections:write"]);
    let unscoped =
        |slack: &FakeSlack, _: &mut Workplace| slack.change(|world| world.scopes = world.scopes.replace(",users:read", ""));
    in_fake_slack(unscoped, same).await.misses(&["the token lacks the scopes users:read: add them"]);
    let shared = |slack: &FakeSlack, _: &mut Workplace| {
        slack.change(|world| world.channels.get_mut("C1").unwrap().is_shared = true);
    };
    in_fake_slack(shared, same).await.has("Slack channel C1: another organization shares it");
    let elsewhere = |text: String| text.replace("\"C1\"", "\"C3\", \"C9\"");
    let told = in_fake_slack(|_, _| {}, elsewhere).await;
    told.misses(&["Slack channel C3: the bot is not in it", "Slack channel C9: the bot is not in it"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_missing_in_discord_is_named() {
    let same = |text: String| text;
    let lack = |lacking: &'static [Lacking]| move |discord: &FakeDiscord| discord.with(|world| world.lack(CHANNEL, lacking));
    in_fake_discord(|_| {}, same).await.is_healthy();
    in_fake_discord(lack(&[Lacking::Send]), same).await.misses(&["the bot may not write there, it lacks Send Messages"]);
    in_fake_discord(lack(&[Lacking::View]), same).await.misses(&["the bot does not see the channel"]);
    let less = in_fake_discord(lack(&[Lacking::Embed, Lacking::OpenThreads]), same).await;
    less.has("the bot lacks Embed Links, Create Public Threads there, and works without").is_healthy();
    let nowhere = in_fake_discord(|_| {}, |text| text.replace(&CHANNEL.to_string(), "1080000000000000999")).await;
    nowhere.misses(&["Discord channel 1080000000000000999: the channel or thread is gone"]);
    let stranger = in_fake_discord(|_| {}, |text| text.replace(&GUILD.to_string(), "1080000000000000888")).await;
    stranger.misses(&["Discord server 1080000000000000888: the bot is not in it"]);
    let calling = |mention: &'static str| {
        move |text: String| {
            format!(
                "{text}\n[[alarms.route]]\nplatform = \"discord\"\nworkspace = \"{GUILD}\"\nchannel = \"{CHANNEL}\"\ncritical = [\"*\"]\nmention = \"{mention}\"\n"
            )
        }
    };
    let forum = |discord: &FakeDiscord| discord.with(|world| world.channels.get_mut(&CHANNEL).unwrap().kind = 15);
    in_fake_discord(forum, same).await.is_healthy();
    in_fake_discord(forum, calling("user:1")).await.is_healthy();
    let closed_forum = |discord: &FakeDiscord| {
        forum(discord);
        discord.with(|world| world.lack(CHANNEL, &[Lacking::Send]));
    };
    in_fake_discord(closed_forum, calling("user:1")).await.misses(&["it is a forum, and the bot may not begin posts there"]);
    let commandless = |discord: &FakeDiscord| discord.with(|world| world.lacks_commands = true);
    in_fake_discord(commandless, same).await.misses(&["was invited to the server"]);
    let elsewhere =
        |discord: &FakeDiscord| discord.with(|world| world.interactions_url = Some("https://old.example/x".to_owned()));
    in_fake_discord(elsewhere, same).await.misses(&["the application has an Interactions Endpoint URL"]);
    in_fake_discord(|_| {}, calling("here")).await.misses(&["alarms.route.mention would mention nobody"]);
    in_fake_discord(|discord| discord.with(|world| world.everyone |= 1 << 17), calling("here")).await.is_healthy();
    in_fake_discord(|_| {}, calling("user:1")).await.is_healthy();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_missing_on_the_way_of_alarms_is_named() {
    let same = |text: String| text;
    with_alarms("", |_| {}, same).await.is_healthy();
    let none = with_alarms("", |topic| topic.subscriptions.clear(), same).await;
    none.misses(&["nobody is subscribed over https: start the bot, then deploy deploy/alarms.yaml, or aws sns subscribe"]);
    let pending = with_alarms("", |topic| topic.subscriptions[0].is_confirmed = false, same).await;
    pending.misses(&["waits for its confirmation"]);
    let elsewhere = with_alarms("", |topic| topic.subscriptions[0].endpoint = "https://old.example/sns".to_owned(), same).await;
    elsewhere
        .misses(&["https://old.example/sns is subscribed over https, and the bot takes messages at https://bot.example.com/sns"]);
    let anywhere = |text: String| text.replace("endpoint = \"https://bot.example.com/sns\"\n", "");
    with_alarms("", |_| {}, anywhere).await.is_healthy();
    let path = with_alarms("", |topic| topic.subscriptions[0].endpoint = "https://bot.example.com/".to_owned(), anywhere).await;
    path.misses(&["https://bot.example.com/ is subscribed"]);
    let open = with_alarms("", |topic| topic.subscriptions[0].protocol = "http", same).await;
    open.misses(&["is subscribed over http, and"]);
    let raw = with_alarms("", |topic| topic.subscriptions[0].is_raw = true, same).await;
    raw.misses(&["raw messages come without a signature"]);
    let lossy = with_alarms("", |topic| topic.subscriptions[0].keeps_undelivered = false, same).await;
    lossy.misses(&["it has no dead-letter queue"]);
    let old = with_alarms("", |topic| topic.signature_version = "1", same).await;
    old.misses(&["--attribute-name SignatureVersion --attribute-value 2"]);
    let unreadable = with_alarms("", |topic| topic.key = Some("alias/aws/sns"), same).await;
    unreadable.misses(&["it is encrypted with alias/aws/sns"]);
    let own_key = with_alarms("", |topic| topic.key = Some("alias/alarms"), same).await;
    own_key.is_healthy();
    let filtered = with_alarms("", |topic| topic.subscriptions[0].is_filtered = true, same).await;
    filtered.has("it has a filter policy").is_healthy();
    let region = with_alarms("", |_| {}, |text| text.replace("regions = [\"eu-west-1\"]", "regions = [\"eu-west-2\"]")).await;
    region.misses(&["accounts.prod.regions lacks eu-west-1"]);
    let denied = with_alarms("[caller]\ndeny = [\"cloudtrail:DescribeTrails\"]\n", |_| {}, same).await;
    denied.has("allow cloudtrail:DescribeTrails, as deploy/iam-policy.json does");
    assert_eq!(denied.status, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_configuration_alone_shows_is_named() {
    let with = |more: &'static str| move |text: String| format!("{text}\n{more}");
    let unknown =
        in_fake_slack(|_, _| {}, |text| text.replace("users = [\"*\"]", "users = [\"*\"]\naccounts = [\"prdo\"]")).await;
    unknown.misses(&["rules name the accounts prdo, and [accounts] does not"]);
    let without = in_fake_slack(
        |_, _| {},
        with("[[allow]]\nplatform = \"discord\"\nworkspace = \"1\"\nchannels = [\"*\"]\nusers = [\"*\"]\n"),
    )
    .await;
    without.misses(&["has platform = \"discord\", and there is no table [discord]"]);
    let unpressed =
        in_fake_slack(|_, _| {}, with("[[alarms.route]]\nplatform = \"slack\"\nworkspace = \"T1\"\nchannel = \"C2\"\n")).await;
    unpressed.has("? rules: alarms are announced in channel C2 of slack T1, and no [[allow]] rule covers it").is_healthy();
    let nowhere = in_fake_slack(|_, _| {}, |text| text.replace("default_region = \"eu-west-1\"\n", "")).await;
    nowhere.misses(&["AWS: no AWS region is set: set AWS_REGION, default_region in the configuration, or the profile's region"]);
    let unsigned = |_: &FakeSlack, workplace: &mut Workplace| workplace.unset("AWS_ACCESS_KEY_ID");
    in_fake_slack(unsigned, |text| text).await.misses(&["no AWS credentials were found"]);
    let unruled = in_fake_slack(
        |_, _| {},
        |text| {
            let (head, rest) = text.split_once("[[allow]]").unwrap();
            format!("{head}{}", rest.get(rest.find("[slack]").unwrap()..).unwrap())
        },
    );
    unruled.await.misses(&["there is no [[allow]] rule"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mode_over_http_needs_a_public_address_and_a_certificate_of_others() {
    let http = |text: String| {
        text.replace("mode = \"socket\"", "mode = \"http\"")
            .replace("app_token = \"env:SLACK_APP_TOKEN\"", "signing_secret = \"env:SLACK_APP_TOKEN\"")
    };
    let told = in_fake_slack(|_, _| {}, http).await;
    told.has("? HTTP: Slack can reach the bot only at a public https address").is_healthy();
    let folder = tempfile::tempdir().unwrap();
    let issued = rcgen::generate_simple_self_signed(["bot.example.com".to_owned()]).unwrap();
    let (certificate, key) = (folder.path().join("tls.crt"), folder.path().join("tls.key"));
    std::fs::write(&certificate, issued.cert.pem()).unwrap();
    std::fs::write(&key, issued.signing_key.serialize_pem()).unwrap();
    let tls = format!(
        "[http]\nlisten = \"127.0.0.1:0\"\ntls_certificate = \"{}\"\ntls_key = \"{}\"\n",
        certificate.display(),
        key.display()
    );
    let told = in_fake_slack(|_, _| {}, |text| format!("{}\n{tls}", http(text))).await;
    told.misses(&["is its own issuer"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_takes_nothing_is_named() {
    let aws = FakeAws::start("").await;
    let mut workplace = Workplace::new(&aws);
    workplace.set("AWS_REGION", "eu-west-1");
    workplace.set("ROTATION_DIAG_PAGE_TOKEN", "0123456789abcdef0123456789abcdef");
    let page = toml(WEB_CONSOLE);
    let missing_folder = format!("{page}\n[store]\npath = \"nowhere/store.db\"\n");
    workplace.write(&missing_folder, &[]);
    workplace.check().await.misses(&["store: the store nowhere/store.db cannot be used"]);
    workplace.write(&page, &[]);
    workplace.check().await.is_healthy();
    let left: Vec<_> = std::fs::read_dir(workplace.folder.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(left, ["rotation-diag.toml"], "checking leaves no file behind");
    let store = workplace.folder.path().join("rotation-diag.db");
    Store::open(&store, Clock::system()).await.unwrap().close().await;
    let writable = std::fs::metadata(&store).unwrap().permissions();
    std::fs::set_permissions(&store, std::os::unix::fs::PermissionsExt::from_mode(0o444)).unwrap();
    workplace.check().await.misses(&["it is read-only"]);
    std::fs::set_permissions(&store, writable).unwrap();
    // A disk without a byte left, as far as a process can be shown one.
    let full = workplace.check_on_a_full_disk().await;
    full.misses(&["store: "]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_found_is_one_json_object_for_programs_with_the_statuses_of_the_table() {
    let aws = FakeAws::start("[caller]\ndeny = [\"cloudtrail:DescribeTrails\"]\n").await;
    let mut workplace = Workplace::new(&aws);
    workplace.set("AWS_REGION", "eu-west-1");
    workplace.set("ROTATION_DIAG_PAGE_TOKEN", "0123456789abcdef0123456789abcdef");
    workplace.write(&toml(WEB_CONSOLE), &[]);
    let table = workplace.check().await;
    let json = workplace.run("rotation-diag check --config rotation-diag.toml --format json", &[]).await.unwrap();
    assert_eq!((json.status, table.status), (1, 1), "{}", json.text);
    let report: serde_json::Value = serde_json::from_str(&json.text).unwrap();
    assert_eq!((report["schema_version"].as_u64(), report["passed"].as_bool()), (Some(1), Some(false)));
    let rows: Vec<String> = (report["checks"].as_array().unwrap().iter())
        .map(|row| {
            let mark = match row["status"].as_str().unwrap() {
                "fine" => "✓",
                "open" => "?",
                "missing" => "✗",
                other => panic!("{other}"),
            };
            format!("{mark} {}: {}", row["what"].as_str().unwrap(), row["detail"].as_str().unwrap())
        })
        .collect();
    let shown: Vec<&str> = table.text.lines().take_while(|line| !line.is_empty()).collect();
    assert_eq!(rows, shown);
    for (status, mark) in [("fine", "✓"), ("open", "?"), ("missing", "✗")] {
        assert_eq!(report["summary"][status].as_u64().unwrap(), table.lines(mark).len() as u64, "{status}");
    }
    assert!(rows.iter().any(|row| row.contains("allow cloudtrail:DescribeTrails")), "{rows:?}");
    assert!(
        rows.iter().any(|row| row.starts_with("✓ AWS this account in eu-west-1: this machine's clock agrees with that of AWS"))
    );
    assert!(rows.iter().any(|row| row.starts_with("✓ store: ") && row.contains("SQLite 3.")), "{rows:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mistakes_of_the_configuration_are_told_all_at_once_with_their_lines_in_both_forms() {
    let aws = FakeAws::start("").await;
    let mut workplace = Workplace::new(&aws);
    workplace.write("default_regoin = \"eu-west-1\"\n[work]\nconcurrency = 0\n", &[]);
    let table = workplace.check().await;
    assert_eq!(table.status, 2);
    table.has("has 2 mistakes").has("line 1: unknown key `default_regoin`").has("line 3: `work.concurrency`");
    let json = workplace.run("rotation-diag check --config rotation-diag.toml --format json", &[]).await.unwrap();
    assert_eq!(json.status, 2, "{}", json.text);
    let report: serde_json::Value = serde_json::from_str(&json.text).unwrap();
    let rows = report["checks"].as_array().unwrap();
    let told = |row: &serde_json::Value| (row["what"].as_str().unwrap().to_owned(), row["status"].as_str().unwrap().to_owned());
    let expected = [1, 3].map(|line| (format!("rotation-diag.toml line {line}"), "missing".to_owned()));
    assert_eq!(rows.iter().map(told).collect::<Vec<_>>(), expected);
}

/// A proxy in the way to the internet that leads every host to `site`, which speaks TLS with a certificate for `name`; and the
/// file with the authority's certificate.
async fn internet(name: &str, site: axum::Router, folder: &std::path::Path) -> (String, std::path::PathBuf) {
    use std::sync::Arc;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    rotation_diag::tls::choose();
    let issued = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
    let authority = folder.join("authority.pem");
    std::fs::write(&authority, issued.cert.pem()).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(issued.signing_key.serialize_der()).unwrap();
    let config = rustls::ServerConfig::builder().with_no_client_auth().with_single_cert(vec![issued.cert.der().clone()], key);
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config.unwrap()));
    let behind = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let plain = behind.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(behind, site).await.unwrap() });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(stream.read_u8().await.unwrap());
                }
                assert!(head.starts_with(b"CONNECT "), "{}", String::from_utf8_lossy(&head));
                stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
                let Ok(mut tls) = acceptor.accept(stream).await else { return };
                let mut inside = tokio::net::TcpStream::connect(plain).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut tls, &mut inside).await;
            });
        }
    });
    (proxy, authority)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_public_addresses_are_asked_and_where_they_lead_elsewhere_that_is_named() {
    use axum::http::StatusCode;
    use axum::routing::{get, post};
    let ours = || {
        axum::Router::new()
            .route("/sns", post(|| async { StatusCode::BAD_REQUEST }))
            .route("/tools/sign-in", get(|| async { "<title>rotation-diag</title>" }))
    };
    let away = || axum::Router::new().fallback(|| async { StatusCode::BAD_GATEWAY });
    let others = || axum::Router::new().fallback(|| async { (StatusCode::NOT_FOUND, "nginx") });
    for (name, site, is_trusted, expected) in [
        (
            "bot.example.com",
            ours(),
            true,
            ["✓ https://bot.example.com/sns leads to the bot", "✓ https://bot.example.com/tools leads to it"],
        ),
        (
            "bot.example.com",
            away(),
            true,
            ["? https://bot.example.com/sns is answered with 502", "? https://bot.example.com/tools is answered with 502"],
        ),
        (
            "bot.example.com",
            others(),
            true,
            ["✗ https://bot.example.com/sns is answered with 404", "✗ https://bot.example.com/tools is answered with 404"],
        ),
        (
            "bot.example.com",
            ours(),
            false,
            ["✗ https://bot.example.com/sns has a certificate that callers do not accept", "✗ https://bot.example.com/tools"],
        ),
        (
            "old.example.com",
            ours(),
            true,
            ["✗ https://bot.example.com/sns has a certificate that callers do not accept", "✗ https://bot.example.com/tools"],
        ),
    ] {
        let (slack, aws, folder) = (FakeSlack::start().await, FakeAws::start("").await, tempfile::tempdir().unwrap());
        let mut workplace = Workplace::new(&aws);
        for (name, token) in SLACK_TOKENS {
            workplace.set(name, token);
        }
        workplace.set("ROTATION_DIAG_PAGE_TOKEN", "0123456789abcdef0123456789abcdef");
        let (proxy, authority) = internet(name, site, folder.path()).await;
        workplace.set("HTTPS_PROXY", &proxy);
        if is_trusted {
            workplace.set("SSL_CERT_FILE", &authority.display().to_string());
        }
        aws.deploy(Topic::confirmed("arn:aws:sns:eu-west-1:123456789012:rotation-diag", "https://bot.example.com/sns"));
        let text = format!("{}\n{}\n{}", slack_config(), in_slack(&toml(ALARMS)), toml(WEB_CONSOLE));
        let fakes = [
            ("[slack]", format!("api_url = \"{}\"", slack.api_url())),
            ("[console]", "url = \"https://bot.example.com/tools\"".to_owned()),
        ];
        workplace.write(&text, &fakes);
        let told = workplace.check().await;
        for words in expected {
            let (mark, words) = words.split_once(' ').unwrap();
            assert!(told.lines(mark).iter().any(|line| line.contains(words)), "{mark} {words}\n{}", told.text);
        }
    }
}
