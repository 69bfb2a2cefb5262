//! Every account: whether it can be reached, and each permission by name.

use crate::bot::Accounts;
use crate::chat::setup::{CheckResult, Checked, checked, clock, fine, missing, open};
use crate::playbook::preflight::{self, Permission};
use crate::store::Location;

/// Every account in the first of its regions: permissions are the account's. Those for the function's code are asked about where it
/// is inspected.
pub(super) async fn check(accounts: &dyn Accounts, inspects_code: bool) -> Vec<Checked> {
    let mut all = Vec::new();
    for account in accounts.known() {
        let Some(region) = account.regions.first() else { continue };
        let location = Location { account: account.name.clone(), region: region.clone() };
        all.extend(permissions(accounts, &location, inspects_code).await);
    }
    all
}

async fn permissions(accounts: &dyn Accounts, location: &Location, inspects_code: bool) -> Vec<Checked> {
    let name = location.account.as_deref().unwrap_or("this account");
    let what = format!("AWS {name} in {}", location.region);
    let connected = match accounts.connect(location).await {
        Ok(connected) => connected,
        Err(error) => return vec![checked(what, missing(error.to_string()))],
    };
    let (verified, theirs) = connected.aws.verify_with_time().await;
    // Of a simulated account the clock is no matter of this machine.
    let skew = theirs.map(|theirs| clock(&what, "AWS", connected.clock.now().duration_since(theirs)));
    let account = match verified {
        Err(error) if skew.as_ref().is_some_and(|skew| matches!(skew.found, CheckResult::Missing(_))) => {
            return skew.into_iter().chain([checked(what, missing(error.to_string()))]).collect();
        }
        Err(error) => return vec![checked(what, missing(error.to_string()))],
        Ok(id) if connected.aws.account_id().is_some_and(|own| *own != id) => {
            return vec![checked(what, missing("the credentials are of another account"))];
        }
        Ok(id) => id,
    };
    let mut found = preflight::permissions(&connected.aws, &connected.clock, &account).await;
    if inspects_code {
        found.extend(preflight::permissions_for_code(&connected.aws, &connected.clock, &account).await);
    }
    let allowed = found.iter().filter(|(_, permission)| *permission == Permission::Allowed).count();
    let mut all: Vec<Checked> = skew.into_iter().collect();
    all.push(checked(
        &what,
        fine(format!("{allowed} of {} permissions are granted, as far as made-up names can tell", found.len())),
    ));
    for (action, permission) in found {
        match permission {
            Permission::Allowed => {}
            Permission::Missing => all.push(checked(&what, missing(format!("allow {action}, as deploy/iam-policy.json does")))),
            Permission::MissingForOthers => {
                let why = "was refused for a made-up name: allow it as deploy/iam-policy.json does, unless your policy names resources on purpose";
                all.push(checked(&what, open(format!("{action} {why}"))));
            }
            Permission::Unknown(why) => all.push(checked(&what, open(format!("{action} could not be checked: {why}")))),
        }
    }
    all
}
