//! `[alarms]`: what is read, and what is refused with the reason.

use super::*;
use crate::config::Config;

fn alarms(text: &str) -> Result<Alarms, Vec<String>> {
    let parsed = Config::parse(text, crate::app::PLATFORMS).map(|config| config.alarms);
    parsed.map_err(|problems| problems.into_iter().map(|(_, problem)| problem).collect())
}

const ROUTE: &str = "[[alarms.route]]\nplatform = \"slack\"\nworkspace = \"T1\"\nchannel = \"C1\"\n";

fn route(keys: &str) -> AlarmRoute {
    alarms(&format!("{ROUTE}{keys}")).unwrap().routes.remove(0)
}

#[test]
fn nothing_is_believed_or_looked_for_unless_configured() {
    assert_eq!(alarms(""), Ok(Alarms::default()));
    assert_eq!(alarms("[alarms.reconcile]\nevery_minutes = 30\n").unwrap().reconcile_every, None);
    let on = alarms("[alarms.reconcile]\nenabled = true\n").unwrap();
    assert_eq!(on.reconcile_every, Some(Duration::from_secs(900)));
}

#[test]
fn version_two_alone_is_accepted_unless_both_are_named() {
    let sns = |more: &str| {
        let topic = "arn:aws:sns:eu-west-1:123456789012:alarms";
        let sns = alarms(&format!("[alarms.sns]\ntopics = [\"{topic}\"]\n{more}\n{ROUTE}")).unwrap().sns.unwrap();
        (sns.topics[0].host(), sns.accepts_version_1, sns.max_age)
    };
    let host = "sns.eu-west-1.amazonaws.com".to_owned();
    assert_eq!(sns(""), (host.clone(), false, DEFAULT_MAX_AGE));
    let more = "signature_versions = [\"1\", \"2\"]\nmax_age_minutes = 60";
    assert_eq!(sns(more), (host, true, Duration::from_secs(3_600)));
}

#[test]
fn every_partition_has_its_own_hosts_and_an_unknown_one_is_refused() {
    for (arn, host) in [
        ("arn:aws:sns:eu-west-1:123456789012:t", "sns.eu-west-1.amazonaws.com"),
        ("arn:aws-cn:sns:cn-north-1:123456789012:t", "sns.cn-north-1.amazonaws.com.cn"),
        ("arn:aws-us-gov:sns:us-gov-west-1:123456789012:t", "sns.us-gov-west-1.amazonaws.com"),
        ("arn:aws-iso:sns:us-iso-east-1:123456789012:t", "sns.us-iso-east-1.c2s.ic.gov"),
        ("arn:aws-eusc:sns:eusc-de-east-1:123456789012:t", "sns.eusc-de-east-1.amazonaws.eu"),
    ] {
        assert_eq!(Topic::parse(arn).unwrap().host(), host);
    }
    for arn in [
        "arn:evil:sns:eu-west-1:123456789012:t",
        "arn:aws:sns:eu-west-1:123456789012:*",
        "arn:aws:sns:eu-west-1:123456789012:t:subscription",
        "arn:aws:sns:evil.example/:123456789012:t",
        "arn:aws:sqs:eu-west-1:123456789012:t",
        "arn:aws:sns:eu-west-1:1:t",
        "t",
    ] {
        assert!(Topic::parse(arn).is_err(), "{arn}");
    }
}

#[test]
fn a_certificate_origin_is_of_this_machine_or_refused() {
    for good in ["http://127.0.0.1:8443", "https://127.9.9.9:1/", "http://[::1]:80"] {
        assert!(origin(good).is_ok(), "{good}");
    }
    for bad in [
        "https://sns.eu-west-1.amazonaws.com",
        "http://localhost:80",
        "http://10.0.0.1:80",
        "http://169.254.169.254",
        "http://127.0.0.1.evil.example",
        "http://user@127.0.0.1:80",
        "http://127.0.0.1:80/path",
        "http://127.0.0.1:80/?x",
        "http://127.0.0.1:80/#x",
        "ftp://127.0.0.1",
        "127.0.0.1",
        "",
    ] {
        assert!(origin(bad).is_err(), "{bad}");
    }
}

#[test]
fn a_route_to_where_the_bot_is_not_is_a_mistake_and_all_of_them_are_told_at_once() {
    let route = |platform: &str, workspace: &str, channel: &str| {
        format!("[[alarms.route]]\nplatform = \"{platform}\"\nworkspace = \"{workspace}\"\nchannel = \"{channel}\"\n")
    };
    let slack = "[slack]\nmode = \"socket\"\nbot_token = \"env:A\"\napp_token = \"env:B\"\n";
    let discord = "[discord]\nbot_token = \"env:C\"\napplication_id = \"1\"\nguilds = [\"81384788765712385\"]\n";
    let console = "[console]\ntoken = \"env:D\"\n";
    let rule = "[[allow]]\nplatform = \"slack\"\nworkspace = \"T1\"\nchannels = [\"*\"]\nusers = [\"U1\"]\n";
    let all = format!("{rule}{slack}{discord}{console}");
    let good = [route("slack", "T1", "C1"), route("discord", "81384788765712385", "1"), route("console", "local", "page")];
    assert_eq!(alarms(&format!("{all}{}", good.concat())).unwrap().routes.len(), 3);
    assert!(alarms(&good.concat()).is_ok(), "without any platform it is no configuration to serve with");

    let bad = [
        route("discord", "81384788765712399", "1"),
        route("slack", "T2", "C1"),
        route("console", "T1", "C1"),
        route("slack", "T1", "C1"),
    ];
    let problems = Config::parse(&format!("{all}{}", bad.concat()), crate::app::PLATFORMS).unwrap_err();
    let told: Vec<&str> = problems.iter().map(|(_, problem)| problem.as_str()).collect();
    assert_eq!(
        told,
        [
            "`alarms.route[0].workspace`: it is not among the servers of `discord.guilds`",
            "`alarms.route[1].workspace`: every [[allow]] rule names another workspace, and a token belongs to one workspace",
            "`alarms.route[2].workspace`: the web console has one workspace, \"local\"",
            "`alarms.route[2].channel`: the web console has one channel, \"page\"",
        ]
    );
    assert!(problems.iter().all(|(line, _)| *line > 15), "{problems:?}");
    for (configured, platform) in [(discord, "slack"), (slack, "discord"), (slack, "console")] {
        let problems = alarms(&format!("{configured}{}", route(platform, "1", "1"))).unwrap_err();
        let expected = format!("`alarms.route[0].platform`: [{platform}] is not configured, so nobody would see these alarms");
        assert_eq!(problems, [expected]);
    }
}

#[test]
fn the_first_route_and_the_first_mapping_that_fit_count() {
    let text = "[[alarms.mapping]]\nalarm = \"orders-*\"\nsecrets = [\"prod/orders-db\"]\n\
                [[alarms.mapping]]\nalarm = \"*\"\nsecrets = [\"prod/any\"]\n\
                [[alarms.route]]\nalarm = \"arn:aws:cloudwatch:eu-west-1:*\"\nplatform = \"discord\"\nworkspace = \"1\"\nchannel = \"2\"\n";
    let read = alarms(&format!("{text}{ROUTE}")).unwrap();
    assert_eq!(read.mapped("orders-rotation", "k")[0].as_str(), "prod/orders-db");
    assert_eq!(read.mapped("billing", "k")[0].as_str(), "prod/any");
    let platform = |key: &str| read.route("orders", key).map(|route| route.place.platform);
    assert_eq!(platform("arn:aws:cloudwatch:eu-west-1:123456789012:alarm:orders"), Some(PlatformName::new("discord")));
    assert_eq!(platform("arn:aws:cloudwatch:us-east-1:123456789012:alarm:orders"), Some(PlatformName::new("slack")));
}

#[test]
fn only_critical_alarms_call_somebody() {
    let route = route("critical = [\"*-page\"]\nmention = \"group:S1\"\n");
    assert_eq!(route.mention, Some(Callee::Group("S1".to_owned())));
    assert!(route.is_critical("orders-page", "k") && !route.is_critical("orders", "k"));
}

#[test]
fn quiet_hours_span_midnight_and_end_by_the_local_clock() {
    let quiet = route("quiet_hours = \"22:00-07:00\"\ntime_zone = \"Europe/Berlin\"\n").quiet.unwrap();
    let end = |at: &str| quiet.end_of(at.parse().unwrap()).map(|end| end.to_string());
    assert_eq!(end("2026-11-25T20:59:59Z"), None);
    assert_eq!(end("2026-11-25T21:00:00Z").as_deref(), Some("2026-11-26T06:00:00Z"));
    assert_eq!(end("2026-11-26T05:59:59Z").as_deref(), Some("2026-11-26T06:00:00Z"));
    assert_eq!(end("2026-11-26T06:00:00Z"), None);
    // The night the clocks are put forward is an hour shorter.
    assert_eq!(end("2027-03-27T22:00:00Z").as_deref(), Some("2027-03-28T05:00:00Z"));
    let lunch = self::route("quiet_hours = \"12:00-13:00\"\n").quiet.unwrap();
    assert_eq!(lunch.end_of("2026-11-25T12:30:00Z".parse().unwrap()), Some("2026-11-25T13:00:00Z".parse().unwrap()));
}

#[test]
fn mistakes_say_what_is_expected() {
    for (text, expected) in [
        ("[alarms.sns]\ntopics = []\n", "name at least one topic; every other is refused"),
        ("[alarms.sns]\ntopics = [\"arn:aws:sns:eu-west-1:123456789012:*\"]\n", "expected a topic's full ARN"),
        (
            "[alarms.sns]\ntopics = [\"arn:aws:sns:eu-west-1:123456789012:t\"]\n",
            "there is no [[alarms.route]] that says where alarms are announced",
        ),
        ("[alarms.sns]\nsignature_versions = [\"1\"]\n", "must contain \"2\""),
        ("[alarms.sns]\nsignature_versions = [\"3\"]\n", "expected \"1\" or \"2\", found \"3\""),
        ("[alarms.sns]\ncertificate_origin = \"https://evil.example\"\n", "with a loopback address"),
        ("[alarms.sns]\nendpoint = \"http://bot.example/sns\"\n", "expected https://, a host and /sns"),
        ("[alarms.sns]\nendpoint = \"https://bot.example/\"\n", "expected https://, a host and /sns"),
        ("[alarms.sns]\nmax_age_minutes = 5\n", "expected a whole number from 60 to 20160"),
        ("[[alarms.mapping]]\nalarm = \"a\"\n", "name the secrets it is about"),
        (
            "[[alarms.mapping]]\nalarm = \"a\"\nsecrets = [\"q8Zr2LxV5tNw9KcB3mYh7PdF4sGj6TaE\"]\n",
            "looks like a secret's value, not its name",
        ),
        ("[[alarms.route]]\nplatform = \"teams\"\n", "expected slack, discord or console, found \"teams\""),
        ("[[alarms.route]]\nchannel = \"#general\"\n", "expected an id of letters and digits"),
        ("[[alarms.route]]\nmention = \"here\"\n", "is only valid together with `critical`"),
        ("[[alarms.route]]\nmention = \"@channel\"\n", "expected \"here\", \"user:ID\" or \"group:ID\""),
        ("[[alarms.route]]\ntime_zone = \"Mars\"\n", "expected a time zone such as Europe/Berlin"),
        ("[[alarms.route]]\nquiet_hours = \"7-7\"\n", "expected two different times such as 22:00-07:00"),
        ("[alarms.reconcile]\nevery_minutes = 1\n", "expected a whole number from 5 to 1440"),
        (
            "[alarms.sns]\ntopics = [\"arn:aws:sns:eu-west-1:123456789012:t\"]\nmax_age_minutes = 1440\n[store]\nretention_days = 1\n",
            "must be shorter than `store.retention_days`",
        ),
        ("[alarms]\nsns_topics = []\n", "unknown key `alarms.sns_topics`"),
    ] {
        let problems = alarms(text).unwrap_err();
        assert!(problems.iter().any(|problem| problem.contains(expected)), "{text}: {problems:?}");
    }
}
