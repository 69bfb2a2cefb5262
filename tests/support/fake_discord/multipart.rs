//! Reads `multipart/form-data`.

use serde_json::Value;

/// A file and its name.
type NamedFile = (String, Vec<u8>);

/// The parts of a request with files: the JSON body, and the files with their names, in order.
pub(super) fn read(content_type: &str, body: &[u8]) -> Option<(Value, Vec<NamedFile>)> {
    let boundary = content_type.split("boundary=").nth(1)?.trim_matches('"');
    let (mut json, mut files) = (None, Vec::new());
    for part in split(body, format!("--{boundary}").as_bytes()) {
        let Some(end) = find(part, b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&part[..end]).into_owned();
        let content = part[end + 4..].strip_suffix(b"\r\n").unwrap_or(&part[end + 4..]);
        let name = value(&head, "name=")?;
        match value(&head, "filename=") {
            _ if name == "payload_json" => json = serde_json::from_slice(content).ok(),
            Some(filename) if name == format!("files[{}]", files.len()) => files.push((filename, content.to_vec())),
            _ => return None,
        }
    }
    Some((json?, files))
}

fn value(head: &str, key: &str) -> Option<String> {
    let at = head.match_indices(key).find(|(at, _)| !head[..*at].ends_with("file") || key.starts_with("file"))?.0;
    head[at + key.len()..].strip_prefix('"')?.split('"').next().map(str::to_owned)
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|window| window == what)
}

fn split<'a>(mut body: &'a [u8], by: &[u8]) -> Vec<&'a [u8]> {
    let mut parts = Vec::new();
    while let Some(at) = find(body, by) {
        parts.push(&body[..at]);
        body = &body[at + by.len()..];
    }
    parts
}
