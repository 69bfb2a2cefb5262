//! A server over the network, which proves who it is before anything is said to it.

use super::*;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

/// A certificate authority, and a certificate for `name` that it signed, with its key: three texts in PEM.
fn certified(name: &str) -> [String; 3] {
    let key = KeyPair::generate().unwrap();
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root = authority.self_signed(&key).unwrap().pem();
    let own = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    let certificate = params.signed_by(&own, &Issuer::from_params(&authority, &key)).unwrap().pem();
    [root, certificate, own.serialize_pem()]
}

#[tokio::test]
async fn a_server_that_proves_its_name_is_spoken_to_encrypted_and_no_other_at_all() {
    crate::tls::choose();
    let [root, certificate, key] = certified("localhost");
    let [stranger, ..] = certified("localhost");
    let Some(cluster) = postgres::Cluster::start_encrypted(&certificate, &key) else { return };
    let folder = tempfile::tempdir().unwrap();
    let authority = |name: &str, pem: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, pem).unwrap();
        Some(path)
    };
    let (root, stranger) = (authority("root.pem", &root), authority("stranger.pem", &stranger));
    let open = async |url: &str, ca: &Option<PathBuf>| {
        let server = StoreServer::new(url, None, ca.clone()).unwrap();
        Store::open_on_server(&server, Clock::system()).await
    };

    let store = open(&cluster.database_at("localhost"), &root).await.unwrap();
    let is_encrypted: i64 =
        sqlx::query_scalar("SELECT CAST(count(*) AS BIGINT) FROM pg_stat_ssl WHERE pid = pg_backend_pid() AND ssl")
            .fetch_one(&store.readers)
            .await
            .unwrap();
    assert_eq!(is_encrypted, 1);
    store.accept(&entry("k1", "C1", "s1"), None).await.unwrap();
    assert_eq!(open_triggers(&store).await, 1);

    let at_localhost = cluster.database_at("localhost");
    for (case, url, ca, expected) in [
        ("signed by somebody else", at_localhost.clone(), &stranger, "certificate"),
        ("under a name that it does not have", cluster.database_at("127.0.0.1"), &root, "certificate"),
        ("the system's authorities do not know it", at_localhost.clone(), &None, "certificate"),
        ("asked in plain text", format!("{at_localhost}?sslmode=disable"), &root, "no encryption"),
    ] {
        let why = open(&url, ca).await.unwrap_err().to_string();
        assert!(why.contains(expected), "{case}: {why}");
    }
}
