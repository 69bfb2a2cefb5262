//! The chapters on Slack, Discord and the web console, from the first step to a verdict.

use crate::documents::{DIAGNOSE, DISCORD, SLACK, SYSTEMD, WEB_CONSOLE, commands, file, toml};
use crate::fake_aws::FakeAws;
use crate::fake_discord::{APPLICATION, CHANNEL, FakeDiscord, GUILD, TOKEN};
use crate::fake_slack::{APP_TOKEN, BOT_TOKEN, FakeSlack};
use crate::workplace::Workplace;
use std::collections::BTreeMap;
use std::time::Duration;

/// What browsers call a page at the address that the workplace configures.
const HOST: &str = "127.0.0.1:0";

pub(crate) const SLACK_TOKENS: [(&str, &str); 2] = [("SLACK_BOT_TOKEN", BOT_TOKEN), ("SLACK_APP_TOKEN", APP_TOKEN)];

/// The ids of the documents with those of the fake.
pub(crate) fn in_slack(text: &str) -> String {
    text.replace("T0123456789", "T1").replace("C0123456789", "C1")
}

pub(crate) fn slack_config() -> String {
    in_slack(&toml(SLACK))
}

pub(crate) fn discord_config() -> String {
    toml(DISCORD)
        .replace("81384788765712384", &APPLICATION.to_string())
        .replace("81384788765712385", &GUILD.to_string())
        .replace("81384788765712386", &CHANNEL.to_string())
        .replace("81384788765712387", "1080000000000000006")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_documented_way_into_slack_ends_with_a_verdict() {
    let (slack, aws) = (FakeSlack::start().await, FakeAws::start("").await);
    let mut workplace = Workplace::new(&aws);
    workplace.write(&slack_config(), &[("[slack]", format!("api_url = \"{}\"", slack.api_url()))]);
    let [export, check, serve] = commands(SLACK).try_into().unwrap();
    // Whoever begins with the last step is told of the earlier ones.
    let early = workplace.run(&check, &[]).await.unwrap();
    early.misses(&["SLACK_BOT_TOKEN is not set", "SLACK_APP_TOKEN is not set"]);
    slack.world().channels.get_mut("C1").unwrap().bot_is_member = false;
    assert!(workplace.run(&export, &SLACK_TOKENS).await.is_none());
    workplace.run(&check, &[]).await.unwrap().misses(&["Slack channel C1: the bot is not in it"]);
    slack.world().channels.get_mut("C1").unwrap().bot_is_member = true;
    let ready = workplace.run(&check, &[]).await.unwrap();
    ready.has("✓ Slack: the token works and has all scopes, as rotation-diag (UBOT) in the workspace Example (T1)").is_healthy();

    let program = workplace.start(&serve).await;
    slack.sockets_open(2).await;
    let envelope = slack.deliver("slash_commands", slack.command_payload("U1", "C1", "prod/orders-db"));
    slack.acknowledged(&envelope).await;
    slack
        .until("the verdict", |world| {
            world.channels["C1"].messages.iter().any(|post| post.text.contains("prod/orders-db is not rotating")).then_some(())
        })
        .await;
    assert!(slack.world().problems.is_empty(), "{:?}", slack.world().problems);
    program.kill().await;
}

/// The verdict leads to the page of its cause, where the web console has an address.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_verdict_in_slack_links_its_cause_to_the_web_console() {
    let (slack, aws) = (FakeSlack::start().await, FakeAws::start("").await);
    let mut workplace = Workplace::new(&aws);
    for (name, token) in SLACK_TOKENS {
        workplace.set(name, token);
    }
    workplace.set("ROTATION_DIAG_PAGE_TOKEN", "0123456789abcdef0123456789abcdef");
    let address = "url = \"https://ops.example.com/rotation-diag\"".to_owned();
    let config = format!("{}\n{}", slack_config(), toml(WEB_CONSOLE));
    workplace.write(&config, &[("[slack]", format!("api_url = \"{}\"", slack.api_url())), ("[console]", address)]);
    let program = workplace.start("rotation-diag serve --config rotation-diag.toml").await;
    slack.sockets_open(2).await;
    let envelope = slack.deliver("slash_commands", slack.command_payload("U1", "C1", "prod/orders-db"));
    slack.acknowledged(&envelope).await;
    let link = "https://ops.example.com/rotation-diag/causes/iam_identity_policy_missing";
    slack
        .until("the link", |world| {
            world.channels["C1"].messages.iter().any(|post| post.blocks.to_string().contains(link)).then_some(())
        })
        .await;
    program.kill().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_documented_way_into_discord_ends_with_a_verdict() {
    let (discord, aws) = (FakeDiscord::start().await, FakeAws::start("").await);
    let mut workplace = Workplace::new(&aws);
    workplace.write(&discord_config(), &[("[discord]", format!("api_url = \"{}\"", discord.api()))]);
    let [export, check, serve] = commands(DISCORD).try_into().unwrap();
    workplace.run(&check, &[]).await.unwrap().misses(&["DISCORD_BOT_TOKEN is not set"]);
    assert!(workplace.run(&export, &[("DISCORD_BOT_TOKEN", TOKEN)]).await.is_none());
    let invited = discord.with(|world| std::mem::take(&mut world.guilds));
    let uninvited = workplace.run(&check, &[]).await.unwrap();
    uninvited.misses(&["Discord: the bot is in no server: invite it with https://discord.com/oauth2/authorize?client_id="]);
    // The address that `check` gives is the document's.
    let told = uninvited.lines("✗")[0].split_once("invite it with ").unwrap().1.to_owned();
    assert!(file("docs/discord.md").contains(&told.replace(&APPLICATION.to_string(), "APPLICATION_ID")), "{told}");
    discord.with(|world| world.guilds = invited);
    let ready = workplace.run(&check, &[]).await.unwrap();
    ready.has(&format!("✓ Discord channel {CHANNEL}: the bot may do what it needs there")).is_healthy();

    let program = workplace.start(&serve).await;
    discord.wait_for(|world| world.connection.as_ref().map(|_| ())).await;
    discord.wait_for(|world| (!world.dispatched.is_empty()).then_some(())).await;
    let command = discord.with(|world| world.command(&[("secret", "prod/orders-db")]));
    discord.with(|world| world.dispatch("INTERACTION_CREATE", command.clone()));
    discord
        .wait_for(|world| {
            let mut messages = world.channels[&CHANNEL].messages.values();
            messages.any(|message| message.to_string().contains("prod/orders-db is not rotating")).then_some(())
        })
        .await;
    discord.with(|world| assert_eq!(world.violations, Vec::<String>::new()));
    program.kill().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_documented_web_console_alone_is_a_bot_and_lets_in_whoever_has_the_token() {
    let aws = FakeAws::start("").await;
    let mut workplace = Workplace::new(&aws);
    workplace.set("AWS_REGION", "eu-west-1");
    workplace.write(&toml(WEB_CONSOLE), &[]);
    workplace.check().await.misses(&["web console: the environment variable ROTATION_DIAG_PAGE_TOKEN is not set"]);
    let [export] = commands(WEB_CONSOLE).try_into().unwrap();
    assert!(export.starts_with("export ROTATION_DIAG_PAGE_TOKEN=\"$(openssl rand -hex 16)\";"), "{export}");
    workplace.set("ROTATION_DIAG_PAGE_TOKEN", "open sesame");
    workplace.check().await.has("? web console: its token can be guessed").is_healthy();
    let token = "0123456789abcdef0123456789abcdef";
    workplace.set("ROTATION_DIAG_PAGE_TOKEN", token);
    workplace.check().await.has("✓ web console: whoever has the token may ask").is_healthy();

    let program = workplace.start("rotation-diag serve --config rotation-diag.toml").await;
    let mut browser = Browser::at(&program.address);
    assert_eq!(browser.get("/").await.0, 303, "a stranger sees nothing");
    let form = hidden(&browser.get("/sign-in").await.1, "form");
    assert_eq!(browser.post("/sign-in", &[("form", &form), ("token", "wrong")]).await, 403);
    assert_eq!(browser.post("/sign-in", &[("form", &form), ("token", token)]).await, 303);
    let page = browser.get("/").await.1;
    let (form, once) = (hidden(&page, "form"), hidden(&page, "once"));
    assert_eq!(browser.post("/say", &[("form", &form), ("once", &once), ("words", "prod/orders-db")]).await, 303);
    let mut look = tokio::time::interval(Duration::from_millis(50));
    let verdict = async {
        while !browser.get("/").await.1.contains("prod/orders-db is not rotating") {
            look.tick().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), verdict).await.expect("the verdict");
    program.kill().await;
}

/// A browser without scripts, as far as the page needs one.
struct Browser {
    client: reqwest::Client,
    address: String,
    cookies: BTreeMap<String, String>,
}

impl Browser {
    fn at(address: &str) -> Browser {
        rotation_diag::tls::choose();
        let client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Browser { client, address: address.to_owned(), cookies: BTreeMap::new() }
    }

    async fn get(&mut self, path: &str) -> (u16, String) {
        let answer = self.send(self.client.get(format!("http://{}{path}", self.address))).await;
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> u16 {
        let origin = format!("http://{HOST}");
        let request = self.client.post(format!("http://{}{path}", self.address)).header("origin", origin);
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(body);
        self.send(request).await.status().as_u16()
    }

    async fn send(&mut self, request: reqwest::RequestBuilder) -> reqwest::Response {
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = request.header("host", HOST).header("cookie", cookies.join("; "));
        let answer = request.send().await.unwrap();
        for cookie in answer.headers().get_all("set-cookie") {
            let (name, rest) = cookie.to_str().unwrap().split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), rest.split(';').next().unwrap().to_owned());
        }
        answer
    }
}

fn hidden(page: &str, name: &str) -> String {
    let field = regex::Regex::new(&format!("name=\"{name}\" value=\"([^\"]+)\"")).unwrap();
    field.captures(page).unwrap_or_else(|| panic!("{name} is not in {page}"))[1].to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_documented_diagnosis_needs_nothing_but_the_aws_configuration_of_the_shell() {
    let aws = FakeAws::start("").await;
    let mut workplace = Workplace::new(&aws);
    let lines = commands(DIAGNOSE);
    let diagnose = lines.iter().find(|line| line.starts_with("rotation-diag diagnose")).unwrap();
    let nowhere = workplace.run(diagnose, &[]).await.unwrap();
    assert_eq!(nowhere.has("pass --region, or set AWS_REGION").status, 1);
    workplace.set("AWS_REGION", "eu-west-1");
    let report = workplace.run(diagnose, &[]).await.unwrap();
    assert_eq!(report.has("prod/orders-db is not rotating").status, 0);
}

/// What systemd hands the program is where the documented configuration looks for it.
#[test]
fn the_documented_service_finds_its_program_its_configuration_its_tokens_and_its_store() {
    let unit = file("deploy/rotation-diag.service");
    let has = |line: &str| assert!(unit.lines().any(|own| own == line), "{line} is not in the unit");
    let config: toml::Table = toml(SYSTEMD).parse().unwrap();
    let commands = commands(SYSTEMD).join("\n");
    for key in ["bot_token", "app_token"] {
        let source = config["slack"][key].as_str().unwrap();
        let name = source.strip_prefix("file:/run/credentials/rotation-diag.service/").unwrap();
        has(&format!("LoadCredentialEncrypted={name}"));
        let encrypted = format!("systemd-creds encrypt --name={name} - /etc/credstore.encrypted/{name}");
        assert!(commands.contains(&encrypted), "{encrypted}");
    }
    let store = config["store"]["path"].as_str().unwrap();
    assert!(store.starts_with("/var/lib/rotation-diag/"), "{store}");
    has("StateDirectory=rotation-diag");
    has("ExecStart=/usr/local/bin/rotation-diag serve --config /etc/rotation-diag.toml");
    for step in [
        "rotation-diag /usr/local/bin/",
        "rotation-diag.toml /etc/rotation-diag.toml",
        "rotation-diag.service /etc/systemd/system/",
    ] {
        assert!(commands.contains(step), "{step}");
    }
    rotation_diag::config::Config::parse(&toml(SYSTEMD), rotation_diag::app::PLATFORMS).unwrap();
}
