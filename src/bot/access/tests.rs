//! Which places a question means, which of them somebody may look into, and what others are told.

use super::accounts::{Whereabouts, locate, locations};
use super::*;
use crate::model::{PlatformName, Standing};
use async_trait::async_trait;

const CHAT: PlatformName = PlatformName::new("slack");

/// Two accounts; `prod` is looked at in two regions, `test` in any, with one preferred.
struct Known(Vec<AccountInfo>);

impl Known {
    fn two() -> Known {
        let account = |name: &str, id: &str, regions: &[&str], any_region| AccountInfo {
            name: Some(name.to_owned()),
            account_id: Some(id.parse().unwrap()),
            regions: regions.iter().map(|region| region.parse().unwrap()).collect(),
            any_region,
        };
        Known(vec![
            account("prod", "123456789012", &["eu-west-1", "us-east-1"], false),
            account("test", "111122223333", &["eu-west-1"], true),
        ])
    }
}

#[async_trait]
impl Accounts for Known {
    fn known(&self) -> &[AccountInfo] {
        &self.0
    }

    async fn connect(&self, _: &Location) -> Result<Connected, ConnectError> {
        unreachable!("rights are decided without asking AWS")
    }

    async fn names(&self, location: &Location) -> Vec<String> {
        vec![location.region.as_str().to_owned()]
    }

    /// In the first region of `prod`; of `test` nobody can tell, and elsewhere it is not.
    async fn has(&self, location: &Location, secret: &SecretRef) -> Option<bool> {
        match (location.account.as_deref(), secret.name()) {
            (Some("test"), _) => None,
            (_, "nowhere") => Some(false),
            _ => Some(location.region.as_str() == "eu-west-1"),
        }
    }
}

fn access(rules: &str) -> Access {
    Access::new(&Config::parse(rules, crate::app::PLATFORMS).unwrap(), Arc::new(Known::two()))
}

/// A rule for everybody in the channel C1, with more keys.
fn allow(more: &str) -> String {
    format!("[[allow]]\nplatform = \"slack\"\nworkspace = \"T1\"\nchannels = [\"C1\"]\nusers = [\"*\"]\n{more}\n")
}

fn somebody() -> Actor {
    Actor {
        platform: CHAT,
        workspace: "T1".to_owned(),
        user: "U1".to_owned(),
        groups: Some(Vec::new()),
        standing: Standing::Member,
    }
}

fn place(channel: &str) -> Place {
    Place { platform: CHAT, workspace: "T1".to_owned(), channel: channel.to_owned(), thread: None }
}

fn question(secret: &str, account: Option<&str>, region: Option<&str>) -> InvestigationRequest {
    InvestigationRequest {
        secret: secret.parse().unwrap(),
        account: account.map(str::to_owned),
        region: region.map(|region| region.parse().unwrap()),
        lookback: None,
    }
}

fn location(text: &str) -> Location {
    let (account, region) = text.split_once(' ').unwrap();
    Location { account: Some(account.to_owned()), region: region.parse().unwrap() }
}

fn texts(locations: &[Location]) -> Vec<String> {
    locations.iter().map(|location| format!("{} {}", location.account.as_deref().unwrap(), location.region.as_str())).collect()
}

#[test]
fn a_question_means_the_places_that_its_words_and_its_arn_leave() {
    let arn = |region: &str, account: &str| format!("arn:aws:secretsmanager:{region}:{account}:secret:x-AbCdEf");
    let (ours, tests) = (arn("eu-west-1", "123456789012"), arn("ap-south-1", "111122223333"));
    let strange = arn("eu-west-1", "999999999999");
    for (secret, account, region, expected) in [
        ("x", None, None, &["prod eu-west-1", "prod us-east-1", "test eu-west-1"][..]),
        ("x", Some("prod"), None, &["prod eu-west-1", "prod us-east-1"]),
        ("x", Some("nobody"), None, &[]),
        ("x", None, Some("us-east-1"), &["prod us-east-1", "test us-east-1"]),
        ("x", None, Some("ap-south-1"), &["test ap-south-1"]),
        ("x", Some("prod"), Some("ap-south-1"), &[]),
        (&ours, None, None, &["prod eu-west-1"]),
        (&ours, Some("test"), None, &[]),
        (&ours, None, Some("eu-west-1"), &["prod eu-west-1"]),
        (&ours, None, Some("us-east-1"), &[]),
        (&tests, None, None, &["test ap-south-1"]),
        (&strange, None, None, &[]),
    ] {
        let meant = locations(&Known::two().0, &question(secret, account, region));
        assert_eq!(texts(&meant), expected, "{secret} {account:?} {region:?}");
    }
    // Where an account's id is not known, it may be anybody's.
    let nameless = [AccountInfo { any_region: true, ..AccountInfo::default() }];
    assert_eq!(locations(&nameless, &question(&ours, None, None)).len(), 1);
}

#[test]
fn somebody_looks_into_the_places_that_are_allowed_and_is_told_why_there_are_none() {
    let asked = question("x", None, None);
    let places = |rules: &str, actor: &Actor| {
        let allowed = access(rules).allowed_places(actor, &place("C1"), &asked);
        allowed.map(|allowed| texts(&allowed))
    };
    let all = ["prod eu-west-1", "prod us-east-1", "test eu-west-1"].map(str::to_owned).to_vec();
    assert_eq!(places(&allow(""), &somebody()), Ok(all));
    assert_eq!(places(&allow("accounts = [\"test\"]"), &somebody()), Ok(vec!["test eu-west-1".to_owned()]));
    assert_eq!(places("", &somebody()), Err(AccessRefusal::NoRules));
    assert_eq!(places(&allow("secrets = [\"y\"]"), &somebody()), Err(AccessRefusal::NotAllowed));
    // What is not known of the person outweighs what is not allowed, in whichever place it was asked about.
    let unknown = Actor { standing: Standing::Unknown, ..somebody() };
    for account in ["prod", "test"] {
        let rules = allow(&format!("accounts = [\"{account}\"]"));
        assert_eq!(places(&rules, &unknown), Err(AccessRefusal::StandingUnknown), "{account}");
    }
    let nowhere = access("").allowed_places(&somebody(), &place("C1"), &question("x", Some("nobody"), None));
    assert_eq!(nowhere, Err(AccessRefusal::NoRules));
    let nowhere = access(&allow("")).allowed_places(&somebody(), &place("C1"), &question("x", Some("nobody"), None));
    assert_eq!(nowhere, Err(AccessRefusal::NotAllowed));
}

#[test]
fn only_who_may_ask_about_the_secret_everywhere_learns_the_names_of_accounts_and_regions() {
    let told = |rules: &str, account, region| access(rules).misplaced(&somebody(), &place("C1"), &question("x", account, region));
    for (account, region, expected) in [
        (Some("nobody"), None, "no account has that name: choose one of prod, test"),
        (Some("prod"), Some("ap-south-1"), "account prod has no such region: choose one of eu-west-1, us-east-1"),
    ] {
        assert_eq!(told(&allow(""), account, region).as_deref(), Some(expected));
        for some in ["accounts = [\"prod\"]", "regions = [\"eu-west-1\"]", "secrets = [\"y\"]"] {
            assert_eq!(told(&allow(some), account, region), None, "{some}");
        }
    }
    assert_eq!(told(&allow(""), None, None), None, "it is where it may be");
    let of = |accounts: Vec<AccountInfo>, account, region| {
        let config = Config::parse(&allow(""), crate::app::PLATFORMS).unwrap();
        Access::new(&config, Arc::new(Known(accounts))).misplaced(&somebody(), &place("C1"), &question("x", account, region))
    };
    let [prod, _] = <[AccountInfo; 2]>::try_from(Known::two().0).unwrap();
    let without = AccountInfo { name: None, ..prod.clone() };
    let regions = "no configured account has that region: choose one of eu-west-1, us-east-1";
    assert_eq!(of(vec![without.clone()], None, Some("ap-south-1")).as_deref(), Some(regions));
    let named = format!("{regions}; the accounts are prod");
    assert_eq!(of(vec![prod.clone()], None, Some("ap-south-1")), Some(named));
    let no_names = "no account is configured by name: omit account";
    assert_eq!(of(vec![without], Some("prod"), None).as_deref(), Some(no_names));
    assert_eq!(of(vec![AccountInfo { regions: Vec::new(), ..prod }], Some("nobody"), None), None, "nobody knows where");
}

#[test]
fn a_channel_is_told_of_a_secret_and_learns_its_name_by_the_rules_of_the_place_it_is_in() {
    let rules = allow("accounts = [\"prod\"]");
    let denied = format!("{rules}[[deny]]\nregions = [\"us-east-1\"]\n");
    for (rules, at, may_tell, may_name) in [
        (&rules, "prod us-east-1", true, true),
        (&rules, "test eu-west-1", true, false),
        (&denied, "prod us-east-1", false, false),
        (&denied, "prod eu-west-1", true, true),
    ] {
        let (access, secret) = (access(rules), "x".parse().unwrap());
        let told = access.may_tell(&place("C1"), &secret, &location(at));
        let named = access.may_name(&place("C1"), &secret, &location(at));
        assert_eq!((told, named), (may_tell, may_name), "{at}");
    }
    let may = |action| {
        access(&allow("actions = [\"investigate\"]")).may(
            &somebody(),
            &place("C1"),
            action,
            &"x".parse().unwrap(),
            &location("prod eu-west-1"),
        )
    };
    assert_eq!((may(ActionKind::Investigate), may(ActionKind::Evidence)), (Ok(()), Err(AccessRefusal::NotAllowed)));
}

#[tokio::test]
async fn a_secret_is_where_it_was_found_or_else_where_that_cannot_be_told() {
    let places = ["prod eu-west-1", "prod us-east-1", "test eu-west-1"].map(location);
    for (secret, places, expected) in [
        ("x", &places[..], Some(&["prod eu-west-1"][..])),
        ("nowhere", &places[..], Some(&["test eu-west-1"])),
        ("nowhere", &places[..2], None),
    ] {
        let found = match locate(&Known::two(), places, &secret.parse().unwrap()).await {
            Whereabouts::Nowhere => None,
            Whereabouts::In(found) => Some(texts(&found)),
        };
        assert_eq!(
            found.as_deref(),
            expected.map(|texts| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>()).as_deref()
        );
    }
    let access = access("");
    assert_eq!(access.known(), Known::two().0);
    assert_eq!(access.names(&location("prod eu-west-1")).await, ["eu-west-1"]);
}
