//! Lambda's log lines, grouped into invocations.

/// True for a line the Lambda platform wrote, not the function's code.
#[must_use]
pub fn is_platform_line(text: &str) -> bool {
    ["START ", "END ", "REPORT ", "INIT_START", "INIT_REPORT"].iter().any(|prefix| text.starts_with(prefix))
}
