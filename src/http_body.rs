//! The bodies of HTTP answers, read up to a bound: who answers decides how much comes, but not how much is kept.

use reqwest::Response;

/// Why a body was not read to its end. Nothing in here holds an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// The connection ended first.
    #[error("the answer broke off")]
    BrokeOff,
    /// There is more than was to be read.
    #[error("the answer was too large")]
    TooLarge,
}

/// Reads a body of at most `largest` bytes.
///
/// # Errors
/// [`BodyError`].
pub async fn read(mut response: Response, largest: usize) -> Result<Vec<u8>, BodyError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|_| BodyError::BrokeOff)? {
        if body.len() + chunk.len() > largest {
            return Err(BodyError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(body: &'static str) -> Response {
        Response::from(axum::http::Response::new(body))
    }

    #[tokio::test]
    async fn a_body_is_read_up_to_its_bound_and_no_further() {
        assert_eq!(read(response("abc"), 3).await, Ok(b"abc".to_vec()));
        assert_eq!(read(response("abcd"), 3).await, Err(BodyError::TooLarge));
        assert_eq!(read(response(""), 0).await, Ok(Vec::new()));
    }
}
