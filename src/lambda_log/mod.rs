//! Lambda's log lines, grouped into invocations.
