//! Whether an alarm may be looked into at all, decided before AWS is asked anything.

use crate::config::{AlarmRoute, Config};
use crate::model::{Alarm, SecretRef};

/// Why an alarm is not looked into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OutOfScope {
    /// The account is not configured.
    #[error("its account is not configured: add it under [accounts]")]
    Account,
    /// The account is not looked at in that region.
    #[error("its region is not among those of its account in the configuration")]
    Region,
    /// It names secrets, and none of them may be asked about.
    #[error("`allowed_secrets` of the configuration covers none of the secrets it names")]
    Secrets,
    /// It is told nowhere.
    #[error("no [[alarms.route]] covers it")]
    Route,
}

/// The configured account an alarm is about, and where it is told.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    /// The account's name in the configuration.
    pub account: &'a str,
    /// Where it is told.
    pub route: &'a AlarmRoute,
    /// The secrets that the configuration says it is about; empty where it says nothing.
    pub mapped: &'a [SecretRef],
    config: &'a Config,
}

impl<'a> Scope<'a> {
    /// Decides by the configuration alone.
    ///
    /// # Errors
    /// [`OutOfScope`].
    pub fn of(config: &'a Config, alarm: &Alarm) -> Result<Scope<'a>, OutOfScope> {
        let (name, account) =
            config.accounts.iter().find(|(_, account)| account.has_id(&alarm.account_id)).ok_or(OutOfScope::Account)?;
        if !account.regions.is_empty() && !account.regions.contains(&alarm.region) {
            return Err(OutOfScope::Region);
        }
        let route = config.alarms.route(&alarm.title, &alarm.key).ok_or(OutOfScope::Route)?;
        let mapped = config.alarms.mapped(&alarm.title, &alarm.key);
        let named = if mapped.is_empty() { alarm.secrets.as_slice() } else { mapped };
        let scope = Scope { account: name, route, mapped, config };
        if !named.is_empty() && !named.iter().any(|secret| scope.holds(alarm, secret)) {
            return Err(OutOfScope::Secrets);
        }
        Ok(scope)
    }

    /// True when a secret is of the alarm's own account and region, and the configuration allows asking about it.
    pub(super) fn holds(&self, alarm: &Alarm, secret: &SecretRef) -> bool {
        let config = self.config;
        match secret {
            SecretRef::Name(name) => config.allows(name),
            SecretRef::Arn(arn) => {
                arn.arn().account_id() == alarm.account_id
                    && arn.arn().region() == alarm.region
                    && (config.allows(arn.name()) || config.allows(arn.resource_name()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alarm::testing::alarm;

    const CONFIG: &str = "allowed_secrets = [\"prod/*\"]\n\
        [accounts.prod]\naccount_id = \"123456789012\"\nregions = [\"eu-west-1\"]\n\
        [accounts.shop]\nrole_arn = \"arn:aws:iam::111122223333:role/reader\"\n\
        [[alarms.mapping]]\nalarm = \"mapped\"\nsecrets = [\"test/x\"]\n\
        [[alarms.route]]\nalarm = \"*s\"\nplatform = \"slack\"\nworkspace = \"T1\"\nchannel = \"C1\"\n\
        [[alarms.route]]\nalarm = \"mapped\"\nplatform = \"slack\"\nworkspace = \"T1\"\nchannel = \"C1\"\n";

    fn decided(change: impl FnOnce(&mut Alarm)) -> Result<String, OutOfScope> {
        let config = Config::parse(CONFIG, crate::app::PLATFORMS).unwrap();
        let mut alarm = alarm("orders");
        change(&mut alarm);
        Scope::of(&config, &alarm).map(|scope| scope.account.to_owned())
    }

    fn secret(text: &str) -> SecretRef {
        text.parse().unwrap()
    }

    #[test]
    fn an_alarm_is_looked_into_where_account_region_secret_and_route_are_configured() {
        assert_eq!(decided(|_| ()), Ok("prod".to_owned()));
        assert_eq!(decided(|alarm| alarm.account_id = "111122223333".parse().unwrap()), Ok("shop".to_owned()));
        assert_eq!(decided(|alarm| alarm.secrets = vec![secret("prod/x")]), Ok("prod".to_owned()));
        assert_eq!(decided(|alarm| alarm.secrets = vec![secret("test/x"), secret("prod/x")]), Ok("prod".to_owned()));
    }

    #[test]
    fn everything_else_is_refused() {
        let of = |account: &str, region: &str| secret(&format!("arn:aws:secretsmanager:{region}:{account}:secret:prod/x-AbCdEf"));
        assert_eq!(decided(|alarm| alarm.account_id = "999999999999".parse().unwrap()), Err(OutOfScope::Account));
        assert_eq!(decided(|alarm| alarm.region = "us-east-1".parse().unwrap()), Err(OutOfScope::Region));
        assert_eq!(decided(|alarm| *alarm = crate::alarm::testing::alarm("order")), Err(OutOfScope::Route));
        assert_eq!(decided(|alarm| alarm.title = "mapped".to_owned()), Err(OutOfScope::Secrets));
        assert_eq!(decided(|alarm| alarm.secrets = vec![secret("test/x")]), Err(OutOfScope::Secrets));
        assert_eq!(decided(|alarm| alarm.secrets = vec![of("111122223333", "eu-west-1")]), Err(OutOfScope::Secrets));
        assert_eq!(decided(|alarm| alarm.secrets = vec![of("123456789012", "us-east-1")]), Err(OutOfScope::Secrets));
    }

    #[test]
    fn without_accounts_every_alarm_is_refused() {
        let config = Config::parse(
            "[[alarms.route]]\nplatform = \"slack\"\nworkspace = \"T1\"\nchannel = \"C1\"\n",
            crate::app::PLATFORMS,
        )
        .unwrap();
        assert_eq!(Scope::of(&config, &alarm("x")).unwrap_err(), OutOfScope::Account);
    }
}
