//! Names of CloudTrail events.

/// Lambda's event names end in the date and version of its API: `UpdateFunctionCode` for `UpdateFunctionCode20150331v2`.
#[must_use]
pub fn without_version(name: &str) -> &str {
    let unversioned = name.rsplit_once('v').filter(|(_, version)| is_digits(version)).map_or(name, |(head, _)| head);
    let stem = unversioned.trim_end_matches(|c: char| c.is_ascii_digit());
    if unversioned.len() - stem.len() == 8 { stem } else { name }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lambdas_versions_are_cut_off_names() {
        for (name, stem) in [
            ("UpdateFunctionCode20150331v2", "UpdateFunctionCode"),
            ("PutFunctionConcurrency20171031", "PutFunctionConcurrency"),
            ("DeleteFunction20150331", "DeleteFunction"),
            ("PutRolePolicy", "PutRolePolicy"),
            ("Approve", "Approve"),
        ] {
            assert_eq!(without_version(name), stem);
        }
    }
}
