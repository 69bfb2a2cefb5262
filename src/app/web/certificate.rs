//! The certificate that clients are shown. It may be replaced while the process runs: those that renew themselves do so every few
//! weeks.

use crate::config::{UnreadTokens, keep_renewed};
use axum_server::tls_rustls::RustlsConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// A certificate chain and its key, each in a file, in PEM.
pub(super) struct ServerCertificate {
    files: [PathBuf; 2],
    /// What stood in the files when they were taken the last time.
    taken: Mutex<[Vec<u8>; 2]>,
    shown: RustlsConfig,
    unread: UnreadTokens,
}

impl ServerCertificate {
    /// Reads the chain and the key.
    ///
    /// # Errors
    /// Why they cannot be used, without repeating them.
    pub(super) fn read(certificate: &Path, key: &Path) -> Result<ServerCertificate, String> {
        let files = [certificate.to_owned(), key.to_owned()];
        let pems = contents(&files)?;
        let shown = RustlsConfig::from_config(Arc::new(with(&pems)?));
        Ok(ServerCertificate { files, taken: Mutex::new(pems), shown, unread: UnreadTokens::default() })
    }

    /// What new connections are shown, now and after it was replaced.
    pub(super) fn shown(&self) -> RustlsConfig {
        self.shown.clone()
    }

    /// Notices every few seconds that the files were replaced. It does not end.
    pub(super) async fn keep_renewed(self) {
        let never_told = watch::channel(()).1;
        keep_renewed(never_told, CancellationToken::new(), move || self.renew()).await;
    }

    /// Takes what stands in the files now; where that cannot be used, what was shown stays. Between the moments at which the one
    /// file and the other are written, they do not belong together.
    pub(super) fn renew(&self) {
        let renewed = contents(&self.files).and_then(|pems| {
            let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
            if *taken == pems {
                return Ok(());
            }
            self.shown.reload_from_config(Arc::new(with(&pems)?));
            *taken = pems;
            tracing::info!(certificate = %self.files[0].display(), "a new certificate is shown");
            Ok(())
        });
        match renewed {
            Ok(()) => self.unread.clear(),
            Err(why) => {
                self.unread
                    .note(vec![why], |why| tracing::error!(why, "the certificate stays as it was: the new one is of no use"));
            }
        }
    }
}

fn contents(files: &[PathBuf; 2]) -> Result<[Vec<u8>; 2], String> {
    let read = |path: &PathBuf| fs::read(path).map_err(|error| format!("{}: {error}", path.display()));
    let [certificate, key] = files;
    Ok([read(certificate)?, read(key)?])
}

fn with([certificate, key]: &[Vec<u8>; 2]) -> Result<rustls::ServerConfig, String> {
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(certificate)
        .collect::<Result<_, _>>()
        .map_err(|error| format!("the certificate is not PEM: {error}"))?;
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| format!("the key is not PEM: {error}"))?;
    let mut config =
        rustls::ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key).map_err(|error| error.to_string())?;
    // HTTP/2 would bring many requests into one seat, see the server.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_that_was_replaced_is_shown_and_one_that_is_of_no_use_replaces_none() {
        crate::tls::choose();
        let folder = tempfile::tempdir().unwrap();
        let files = [folder.path().join("tls.crt"), folder.path().join("tls.key")];
        let made = || rcgen::generate_simple_self_signed(vec!["bot.example".to_owned()]).unwrap();
        let write = |at: usize, text: &str| fs::write(&files[at], text).unwrap();
        let (first, second) = (made(), made());
        write(0, &first.cert.pem());
        write(1, &first.signing_key.serialize_pem());
        let certificate = ServerCertificate::read(&files[0], &files[1]).unwrap();
        let shown = || Arc::as_ptr(&certificate.shown().get_inner());
        let at_first = shown();
        certificate.renew();
        assert_eq!(shown(), at_first, "the same files, and the sessions of clients go on");
        write(0, &second.cert.pem());
        certificate.renew();
        assert_eq!(shown(), at_first, "the key is not there yet");
        write(1, &second.signing_key.serialize_pem());
        certificate.renew();
        let renewed = shown();
        assert_ne!(renewed, at_first);
        for unfit in ["", "no PEM"] {
            write(1, unfit);
            certificate.renew();
            assert_eq!(shown(), renewed, "{unfit}");
        }
        fs::remove_file(&files[0]).unwrap();
        certificate.renew();
        assert_eq!(shown(), renewed);
        assert!(ServerCertificate::read(&files[0], &files[1]).is_err());
    }
}
