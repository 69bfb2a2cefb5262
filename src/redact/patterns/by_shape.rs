//! Secrets that look like secrets, whatever stands around them.
//!
//! Samples of vendors' tokens are put together from two parts, so that secret scanners leave this file alone.

use super::super::shapes;
use super::SecretKind;

pub(super) const TABLE: &[SecretKind] = &[
    SecretKind {
        kind: "private key",
        regex: r"----(?:-| )(?:BEGIN|END) [A-Z0-9 ]{0,30}PRIVATE KEY[A-Z ]{0,8}(?:-| )----",
        secret: shapes::private_key,
        masked: &[
            (
                "key:\n-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEA\nq83vEjRWeJA=\n-----END RSA PRIVATE KEY-----\nnext line",
                "q83vEjRWeJA=",
            ),
            ("-----BEGIN PRIVATE KEY-----\r\nMIIEvQIBADANBg\r\n-----END PRIVATE KEY-----", "MIIEvQIBADANBg"),
            ("-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAA\ncut here", "cut here"),
            (r"-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIBkg\n-----END EC PRIVATE KEY-----\n", "MHcCAQEEIBkg"),
            ("-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nlQOYBGRm\n-----END PGP PRIVATE KEY BLOCK-----", "lQOYBGRm"),
            ("first line of the page\nMIIEowIBAAKCAQEA\nq83vEjRWeJA=\n-----END RSA PRIVATE KEY-----", "MIIEowIBAAKCAQEA"),
        ],
        kept: &[
            "-----BEGIN CERTIFICATE-----\nMIIDdzCCAl+gAwIBAgIE\n-----END CERTIFICATE-----",
            "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYI\n-----END PUBLIC KEY-----",
            "could not load PRIVATE KEY from PEM",
        ],
    },
    SecretKind {
        kind: "private key",
        // PKCS#1, PKCS#8 (also encrypted), SEC 1 and PKCS#12 in DER, OpenSSH's own format, and a PEM file, each in base64: told by
        // their first bytes. A certificate begins otherwise.
        regex: r"(?:(?-u:\b)|\\[nrt]|%[0-9A-Fa-f]{2})(?:MII[A-Za-z0-9+/]{3}IBAA[KJ]|MII[A-Za-z0-9+/]{3}IBADANBgkqhkiG9w0|MI[A-Za-z0-9+/]{1,4}AgEAMBMGByqGSM49|MI[A-Za-z0-9+/]{1,4}AgEAMBAGByqGSM49|MHcCAQEE|MI(?:Gk|Hc)AgEBBE?[A-Z]|M[CF][A-Za-z0-9+/]{0,2}CAQAwBQYDK2V|MII[A-Za-z0-9+/]{3}B[A-Za-z]{1,3}gkqhkiG9w0BBQ|MII[A-Za-z0-9+/]{3}IBAzCC|b3BlbnNzaC1rZXktdjE|LS0tLS1CRUdJTi(?:BSU0Eg|BFQyB|BPUEVOU1NI|BQUklWQVRF|BFTkNSWVBURU|BEU0Eg|BQR1AgUFJJVk))[A-Za-z0-9+/=_-]{12,}",
        secret: shapes::wrapped_token,
        masked: &[
            ("tls.key: LS0tLS1CRUdJTiBSU0EgUFJJVkFURSBLRVktLS0tLQpNSUlF", "UFJJVkFURSBLRVkt"),
            ("key MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQ end", "AgEAAoIBAQ"),
            ("MIIEowIBAAKCAQEAq83vEjRWeJ0AbCdEfGhIjKlMnOpQrStUvWxYz012\nq83vEjRWeJ0AbCdEfGhIjKlMnOpQrStUvWxYz012", "StUvWxYz012"),
            ("MC4CAQAwBQYDK2VwBCIEIAbCdEfGhIjKlMnOpQrStUvWxYz0123456789ab", "GhIjKlMnOp"),
            ("b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQ", "AAAABG5vbmU"),
        ],
        kept: &[
            "MIIDdzCCAl+gAwIBAgIEAgAAuTANBgkqhkiG9w0BAQUFADBaMQswCQYDVQQGEwJJRTES",
            "ca.crt: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1JSURkekND",
            "MHcCAQEE begins a key",
        ],
    },
    SecretKind {
        kind: "private key",
        // PuTTY's format (PuTTY documentation, appendix C).
        regex: r"Private-(?:Lines: [0-9]{1,4}|MAC: )",
        secret: shapes::putty_key,
        masked: &[
            ("Private-Lines: 2\nAAAAgQC0xyzzy+/\nplugh==\nPrivate-MAC: 0a1b2c3d4e5f\n", "plugh"),
            ("Private-Lines: 1\nAAAAgQC0xyzzy\nPrivate-MAC: 0a1b2c3d4e5f\n", "0a1b2c3d"),
        ],
        kept: &["Public-Lines: 6", "Private-MAC: failed"],
    },
    SecretKind {
        kind: "aws access key",
        regex: r"(?:(?-u:\b)|\\[nrt]|%[0-9A-Fa-f]{2}|_)A(?:\r?\n)?(?:K(?:\r?\n)?I|S(?:\r?\n)?I|B(?:\r?\n)?I|C(?:\r?\n)?C|3(?:\r?\n)?T)(?:\r?\n)?[A-Z0-9](?:(?:\r?\n)?[A-Z2-7]){16}(?-u:\b)",
        secret: shapes::access_key,
        masked: &[
            ("AccessKeyId AKIAIOSFODNN7EXAMPLE is inactive", "IOSFODNN7"),
            ("ASIAQWERTYUIOPASDFGH", "ASIAQWERTYUIOPASDFGH"),
            ("ABIAQWERTYUIOPASDFGH ACCAQWERTYUIOPASDFGH A3TXQWERTYUIOPASDFGH", "QWERTYUIOPASDFGH"),
            ("AKIAQWERTYUIOPASDFGH:wJalrXUtnFEMI/K7MDENG/bPxRfiCYq83vEjRWeJ", "wJalrXUtnFEMI"),
            ("AKIAQWERTYUIOPASDFGH\nwJalrXUtnFEMI/K7MDENG/bPxRfiCYq83vEjRWeJ\n", "bPxRfiCYq83vEjRWeJ"),
            ("AKIAQWERT\nYUIOPASDFGH", "YUIOPASDFGH"),
        ],
        kept: &[
            "TODAYINASIAASACKOFRICE",
            "akiaqwertyuiopasdfgh",
            "ACCAGATTACAGATTACAGA",
            "AROAQWERTYUIOPASDFGH:session is the id of a role",
            "the region is AKIA",
        ],
    },
    SecretKind {
        kind: "aws session token",
        regex: r"(?:IQoJ|FwoG|FQoG)[A-Za-z0-9+/=%_-]{16,}",
        secret: shapes::wrapped,
        masked: &[
            ("credentials IQoJb3JpZ2luX2VjEJr//////////wEaCXVzLWVhc3QtMSJHMEUCIQD", "b3JpZ2luX2Vj"),
            ("FwoGZXIvYXdzEBYaDHqa0AP2Fv5vBCyoKCKrAS", "ZXIvYXdzEBYaDH"),
            (
                "token follows\nIQoJb3JpZ2luX2VjEJr//////////wEaCXVzLWVhc3QtMSJHMEUCIQD\n  cm9sbGVyMTIzNDU2Nzg5\nRotation failed",
                "cm9sbGVyMTIz",
            ),
        ],
        kept: &["IQoJ is how a session token begins", "FwoG"],
    },
    SecretKind {
        kind: "json web token",
        // `eyJ` is `{"` in base64; `ZXlK` is `eyJ` in base64 again; `ewog` is `{`, a new line, a blank; the others
        // are `{` with other blanks behind it, `{'` and a letter, and `[{"`.
        regex: r"(?:(?-u:\b)|\\[nrt]|%[0-9A-Fa-f]{2}|_)(?:eyJ|ZXlK|ew(?:og|oJ|0K|ki)|eyAi|eyd[h-z0-6]|W3si)[A-Za-z0-9_+/-]{12,}={0,2}(?:\.[A-Za-z0-9_-]*){0,4}",
        secret: shapes::wrapped_token,
        masked: &[
            ("jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmN end", "dozjgNryP4J3jVmN"),
            ("cut: eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIx", "eyJzdWIiOiIx"),
            ("ZXlKaGJHY2lPaUpJVXpJMU5pSjkuZXlKemRXSWlPaUl4", "ZXlKaGJHY2lP"),
            ("json in base64: eyJwYXNzd29yZCI6Imh1bnRlcjIifQ==", "cGFzc3dvcmQ"),
        ],
        kept: &["keyJack and eyJ are no tokens", "the eyJhbGci header is short"],
    },
    SecretKind {
        kind: "kerberos keytab",
        // The bytes 5, 2, 0, 0, 0 in base64: the version, and the length of a first entry below 65536 bytes.
        regex: r"(?:(?-u:\b)|\\[nrt]|%[0-9A-Fa-f]{2}|_)BQIAAA[A-Za-z0-9+/]{20,}={0,2}",
        secret: shapes::wrapped_token,
        masked: &[("Failed to split keytab: BQIAAABUAAIADUVYQU1QTEUuQ09NAAdhcHA=", "UVYQU1QTEUuQ09N")],
        kept: &["Failed to create keytab with new password", "BQIAAA"],
    },
    SecretKind {
        kind: "slack token",
        regex: r"(?:(?-u:\b)|\\[nrt]|%[0-9A-Fa-f]{2}|_)(?:xox[abceoprs](?:\.xox[bp])?|xapp)-[A-Za-z0-9-]{8,}",
        secret: shapes::vendor_token,
        masked: &[
            (concat!("SLACK xox", "b-1234567890-1234567890123-AbCdEfGhIjKl ok"), "AbCdEfGhIjKl"),
            (concat!("xox", "p-1234567890-abc123def456"), "abc123def456"),
            (concat!("xap", "p-1-A0123456789-1234567890-abcdef"), "A0123456789"),
            (concat!("xox", "e.xoxp-1-Mi0yLTEyMzQ1Njc4OTA"), "Mi0yLTEyMzQ1"),
        ],
        kept: &["xoxb tokens begin with xoxb-", "foxoxb-12345678"],
    },
    SecretKind {
        kind: "slack webhook",
        regex: r"hooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)/[A-Za-z0-9/+_-]+",
        secret: shapes::whole,
        masked: &[(concat!("POST https://hooks.slack", ".com/services/T0000/B0000/AbCdEfGh 500"), "AbCdEfGh")],
        kept: &["https://slack.com/api/chat.postMessage", "https://hooks.slack.com/"],
    },
    SecretKind {
        kind: "discord token",
        regex: r"(?:(?-u:\b)|\\[nrt]|%[0-9A-Fa-f]{2}|_)(?:[MNO][A-Za-z0-9_-]{22,27}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{25,}|mfa\.[A-Za-z0-9_-]{40,})",
        secret: shapes::vendor_token,
        masked: &[(
            concat!("login MTIzNDU2Nzg5MDEyMzQ1Njc4", ".GaBcDe.abcdefghijklmnopqrstuvwxyz0123456789ab"),
            "abcdefghijklmnop",
        )],
        kept: &["MyModule.SubModule.function_name", "mfa.required"],
    },
    SecretKind {
        kind: "discord webhook",
        regex: r"discord(?:app)?\.com/api/(?:v[0-9]{1,2}/)?webhooks/[0-9]+/[A-Za-z0-9_-]+",
        secret: shapes::whole,
        masked: &[("https://discord.com/api/v10/webhooks/123456789012345678/AbCdEf-GhIjKl_0", "AbCdEf-GhIjKl_0")],
        kept: &["https://discord.com/api/v10/channels/1/messages"],
    },
    SecretKind {
        kind: "github token",
        regex: r"(?:(?-u:\b)|\\[nrt]|%[0-9A-Fa-f]{2}|_)(?:gh[opsur]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,})",
        secret: shapes::vendor_token,
        masked: &[
            (concat!("remote: gh", "p_abcdefghijklmnopqrstuvwxyz0123456789"), "abcdefghijklmnop"),
            (concat!("github_", "pat_11ABCDEFG0abcdefghijkl_mnopqrstuvwxyz"), "11ABCDEFG0"),
        ],
        kept: &["ghp_ is the prefix", "graph_of_dependencies"],
    },
    SecretKind {
        kind: "stripe key",
        regex: r"(?:(?-u:\b)|\\[nrt]|%[0-9A-Fa-f]{2}|_)(?:(?:sk|rk)_(?:live|test|prod)_[A-Za-z0-9]{10,}|whsec_[A-Za-z0-9+/=]{16,})",
        secret: shapes::vendor_token,
        masked: &[
            (concat!("sk_", "live_abcdefghij0123456789"), "abcdefghij0123456789"),
            (concat!("whs", "ec_abcdefghij0123456789"), "abcdefghij0123456789"),
        ],
        kept: &["task_live_migration_of_database", "sk_test_"],
    },
    SecretKind {
        kind: "url password",
        regex: r"://",
        secret: shapes::url_password,
        masked: &[
            ("mongodb://app:p%40ss-word@db.example.internal:27017/admin", "p%40ss-word"),
            ("postgres://app:p@ss@db.example.internal/orders failed", "p@ss"),
            ("proxy http://:secret@10.0.0.1:8080", "secret"),
            ("postgres://app:pa/ss@db.example.internal/orders", "pa/ss"),
        ],
        kept: &[
            "https://secretsmanager.us-east-1.amazonaws.com:443/",
            "https://user@example.com/a:b@c",
            "https://example.com:443/a/b@c",
            "Could not connect to the endpoint URL: \"https://sts.eu-west-1.amazonaws.com/\"",
        ],
    },
    SecretKind {
        kind: "bearer token",
        regex: r"(?-u:\b)(?i-u:bearer|basic)[ \t]{1,4}[A-Za-z0-9._~+/-]{8,}={0,2}",
        secret: shapes::scheme_token,
        masked: &[("sent Bearer 0a1b2c3d4e5f", "0a1b2c3d4e5f"), ("used Basic dXNlcjpwYXNzd29yZA==", "dXNlcjpwYXNzd29yZA")],
        kept: &["Basic authentication failed", "the bearer certificate", "Bearer Authentication is off"],
    },
];
