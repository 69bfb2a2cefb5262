//! Which TLS the program speaks: several libraries bring one, and without a word they could not agree.

/// Chooses rustls with AWS-LC for every connection of the process. Whoever makes a client calls this first; a later call keeps
/// the first choice.
pub fn choose() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
}
