//! The AWS endpoint that a log line names.

/// An endpoint that a function could not connect to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::diagnosis) struct NamedEndpoint {
    /// Such as `secretsmanager`.
    pub(in crate::diagnosis) service: String,
    /// Its host, where it is not the service's in the function's region: no endpoint of the VPC stands in for it.
    pub(in crate::diagnosis) elsewhere: Option<String>,
    /// True for the service's host of both families, below `api.aws`.
    pub(in crate::diagnosis) is_dual_stack: bool,
}

impl NamedEndpoint {
    /// The first endpoint that the text names with its address; `None` for one of a VPC's own names.
    ///
    /// Source: AWS General Reference, "Regional endpoints": `service.region.amazonaws.com`, `service.region.api.aws` with IPv6, and
    /// without a region for global services and for the older address of STS.
    pub(in crate::diagnosis) fn of(text: &str, region: &str) -> Option<NamedEndpoint> {
        let host = text.split_once("https://")?.1.split(['/', '"', '\'', ' ', ':']).next()?.to_ascii_lowercase();
        let rest = [".amazonaws.com.cn", ".amazonaws.com", ".api.aws"].iter().find_map(|suffix| host.strip_suffix(suffix))?;
        let mut labels = rest.split('.');
        let service = labels.next().filter(|service| !service.is_empty() && !service.starts_with("vpce-"))?;
        let service = service.strip_suffix("-fips").unwrap_or(service).to_owned();
        if rest.split('.').any(|label| label == "vpce") {
            return None;
        }
        let own = labels.any(|label| label == region);
        let is_dual_stack = host.ends_with(".api.aws");
        Some(NamedEndpoint { service, elsewhere: (!own).then_some(host), is_dual_stack })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_of_both_families_is_told_from_the_older_one() {
        let is_dual =
            |host: &str| NamedEndpoint::of(&format!("\"https://{host}/\""), "eu-west-1").map(|named| named.is_dual_stack);
        assert_eq!(is_dual("secretsmanager.eu-west-1.api.aws"), Some(true));
        assert_eq!(is_dual("secretsmanager.eu-west-1.amazonaws.com"), Some(false));
    }

    #[test]
    fn a_host_of_another_region_or_of_none_is_told_from_the_services_own() {
        let named = |text: &str| NamedEndpoint::of(text, "eu-west-1").map(|named| (named.service, named.elsewhere));
        let own = |service: &str| Some((service.to_owned(), None));
        let other = |service: &str, host: &str| Some((service.to_owned(), Some(host.to_owned())));
        for (text, expected) in [
            ("endpoint URL: \"https://secretsmanager.eu-west-1.amazonaws.com/\"", own("secretsmanager")),
            ("endpoint URL: \"https://secretsmanager.eu-west-1.api.aws/\"", own("secretsmanager")),
            ("endpoint URL: \"https://kms-fips.eu-west-1.amazonaws.com:443/\"", own("kms")),
            ("endpoint URL: \"https://sts.amazonaws.com/\"", other("sts", "sts.amazonaws.com")),
            (
                "endpoint URL: \"https://secretsmanager.us-east-1.amazonaws.com/\"",
                other("secretsmanager", "secretsmanager.us-east-1.amazonaws.com"),
            ),
            ("endpoint URL: \"https://vpce-0a-1b.secretsmanager.eu-west-1.vpce.amazonaws.com/\"", None),
            ("endpoint URL: \"https://api.example.com/\"", None),
            ("no address at all", None),
        ] {
            assert_eq!(named(text), expected, "{text}");
        }
    }
}
