//! REST-JSON, as Lambda is asked in it: the operation is the method and the path.

use axum::http::{Method, Uri};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

/// The operation behind a method and path, with the members that travel in path and query string.
/// A path that is not known is named by itself, so that it can be refused by name.
pub(super) fn operation(method: &Method, uri: &Uri) -> (String, Value) {
    let segments: Vec<String> = uri.path().split('/').filter(|segment| !segment.is_empty()).map(decode).collect();
    let mut members = Map::new();
    for (name, value) in uri.query().unwrap_or_default().split('&').filter_map(|pair| pair.split_once('=')) {
        members.insert(decode(name), Value::String(decode(value)));
    }
    let operation = match segments.as_slice() {
        [version, functions, name, what] if functions == "functions" => {
            members.insert("FunctionName".into(), Value::String(name.clone()));
            match (method, version.as_str(), what.as_str()) {
                (&Method::GET, "2015-03-31", "configuration") => "GetFunctionConfiguration",
                (&Method::GET, "2015-03-31", "policy") => "GetPolicy",
                (&Method::GET, "2019-09-30", "concurrency") => "GetFunctionConcurrency",
                _ => "",
            }
        }
        // With `find=LayerVersion`, and the layer's ARN beside it.
        [version, layers] if version == "2018-10-31" && layers == "layers" && *method == Method::GET => "GetLayerVersion",
        [version, functions, name] if version == "2015-03-31" && functions == "functions" && *method == Method::GET => {
            members.insert("FunctionName".into(), Value::String(name.clone()));
            "GetFunction"
        }
        _ => "",
    };
    let operation = if operation.is_empty() { format!("{method} {}", uri.path()) } else { operation.to_owned() };
    (operation, Value::Object(members))
}

fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}
