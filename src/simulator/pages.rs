//! Pages and the opaque tokens between them.

use super::ids::fingerprint;
use super::wire::Parameters;

/// The token does not belong to this request.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct WrongToken;

/// One page of `all`, and the token of the next.
///
/// A token holds the offset and a fingerprint of the request, so that a token used with other parameters is refused.
pub(super) fn page<'a, T>(
    all: &'a [T],
    size: usize,
    parameters: Parameters<'_>,
    token_name: &str,
    limit_name: &str,
) -> Result<(&'a [T], Option<String>), WrongToken> {
    let request = fingerprint(&parameters.without(&[token_name, limit_name]).to_string());
    let start = match parameters.text(token_name) {
        None | Some("") => 0,
        Some(token) => offset(token, request).ok_or(WrongToken)?,
    };
    let asked = parameters.integer(limit_name).and_then(|limit| usize::try_from(limit).ok());
    let size = asked.map_or(size, |asked| asked.min(size)).max(1);
    let rest = all.get(start..).ok_or(WrongToken)?;
    let (page, after) = rest.split_at(size.min(rest.len()));
    let next = (!after.is_empty()).then(|| token(start + page.len(), request));
    Ok((page, next))
}

fn token(offset: usize, request: u64) -> String {
    format!("{offset:08x}{request:016x}")
}

fn offset(token: &str, request: u64) -> Option<usize> {
    let offset = usize::from_str_radix(token.get(..8)?, 16).ok()?;
    (token == self::token(offset, request)).then_some(offset)
}
