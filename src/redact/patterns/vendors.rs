//! Tokens of vendors that are told by their own shape: a prefix, an alphabet, a length.
//!
//! One regex for all, so that the table's alternation stays small. Lengths are lower bounds: a token that was cut or has
//! grown is a token still. What has no shape of its own is known by the vendor's name in front of it, see
//! [`super::by_name`].

use super::super::shapes;
use super::SecretKind;

pub(super) const TABLE: &[SecretKind] = &[
    SecretKind {
        kind: "vendor token",
        regex: r"(?x:
        (?: (?-u:\b) | \\[nrt] | %[0-9A-Fa-f]{2} | _ )
        (?:
        # Secret stores and identity
          A3-[A-Z0-9]{6}-[A-Z0-9-]{16,}
        | ops_eyJ[A-Za-z0-9+/=_-]{30,}
        | AGE-SECRET-KEY-(?:PQ-)?1[A-Z0-9]{40,}
        | dp\.(?:pt|st|ct|sa|scim|audit)\.[A-Za-z0-9._-]{30,}
        | hv[bsr]\.[A-Za-z0-9_-]{20,}
        | s\.[A-Za-z0-9]{24}(?-u:\b)
        | (?:sc|ext|scauth|authress)_[A-Za-z0-9]{5,30}\.[A-Za-z0-9]{4,6}\.acc[_-][A-Za-z0-9-]{10,32}\.[A-Za-z0-9+/_=-]{20,}
        | s-s4t2(?:ud|af)-[a-f0-9]{40,}
        | gAAAAA[A-Za-z0-9_-]{60,}={0,2}
        | v[1-4]\.(?:local|public)\.[A-Za-z0-9_-]{30,}
        # Clouds and hosting
        | LTAI[A-Za-z0-9]{12,}
        | ABSK[A-Za-z0-9+/=]{60,}
        | bedrock-api-key-[A-Za-z0-9+/=_-]{20,}
        | v1\.0-[a-f0-9]{24}-[a-f0-9]{60,}
        | do[opr]_v1_[a-f0-9]{40,}
        | fo1_[A-Za-z0-9_-]{40,} | fm[12][ar]?_[A-Za-z0-9+/=_-]{60,}
        | AIza[A-Za-z0-9_-]{35} | ya29\.[A-Za-z0-9_-]{20,} | GOCSPX-[A-Za-z0-9_-]{20,} | 1//0[A-Za-z0-9_-]{30,}
        | HRKU-[A-Za-z0-9_-]{30,}
        | sha256~[A-Za-z0-9_-]{40,}
        | tk-us-[A-Za-z0-9_-]{40,}
        | t1\.[A-Za-z0-9_-]{8,}={0,2}\.[A-Za-z0-9_-]{60,}={0,2} | AQVN[A-Za-z0-9_-]{32,} | YC[A-Za-z0-9_-]{38}
        | SWMTKN-1-[a-z0-9-]{40,}
        | tskey-[a-z]{3,10}-[A-Za-z0-9-]{16,}
        | dckr_[po]at_[A-Za-z0-9_-]{20,}
        # Databases and analytics
        | dapi[a-f0-9]{32}
        | 4b1d[A-Za-z0-9]{38}(?-u:\b)
        | pscale_(?:tkn|oauth|pw)_[A-Za-z0-9=._-]{30,}
        | sb[ap]_[a-f0-9]{40} | sb_secret_[A-Za-z0-9_-]{20,}
        | pat[A-Za-z0-9]{14}\.[a-f0-9]{40,}
        | ph[cxa]_[A-Za-z0-9]{40,}
        # Code, packages, pipelines
        | gl(?:pat|dt|ft|rt|rtr|imt|ptt|agent|oas|cbt|ffct|soat|wt)-[A-Za-z0-9_.-]{20,}
        | GR1348941[A-Za-z0-9_-]{20,}
        | gitlab_session=[0-9a-z]{32}
        | AT(?:ATT3|CTT3|BB|STT3)[A-Za-z0-9_=-]{24,}
        | AKCp[A-Za-z0-9]{30,} | cmVmd[A-Za-z0-9]{40,}
        | CLOJARS_[A-Za-z0-9]{40,}
        | npm_[A-Za-z0-9]{36} | pypi-[A-Za-z0-9_-]{50,} | rubygems_[a-f0-9]{40,} | oy2[a-z0-9]{43} | cio[A-Za-z0-9]{32}(?-u:\b)
        | ico-[A-Za-z0-9]{32}
        | (?:pat|sat)\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9]{24}\.[A-Za-z0-9]{20}
        | API-[A-Z0-9]{26}
        | pn[ub]_[A-Za-z0-9]{30,}
        | pul-[a-f0-9]{40}
        | sq[upa]_[a-f0-9]{40}
        | sgp_[A-Za-z0-9_]{40,}
        | CCI(?:PAT|PRJ)_[A-Za-z0-9_]{30,}
        | bkua_[a-f0-9]{40}
        | PMAK-[a-fA-F0-9]{24}-[a-fA-F0-9]{34}
        | rdme_[a-z0-9]{60,}
        # Observability
        | dt0[a-z][0-9]{2}\.[A-Za-z0-9]{24}\.[A-Za-z0-9]{40,}
        | glc_[A-Za-z0-9+/=]{32,} | glsa_[A-Za-z0-9]{32}_[A-Fa-f0-9]{8}
        | NR(?:AK|II|IQ|RA|AL|JS|SP)-[A-Za-z0-9-]{19,}
        | sntrys_[A-Za-z0-9+/=_-]{30,} | sntryu_[a-f0-9]{40,}
        # Models
        | sk-(?:ant-|proj-|svcacct-|admin-|or-v1-)?[A-Za-z0-9_-]{32,}
        | hf_[A-Za-z0-9]{30,} | api_org_[A-Za-z0-9]{30,}
        | pplx-[A-Za-z0-9]{40,} | gsk_[A-Za-z0-9]{40,} | xai-[A-Za-z0-9]{60,} | r8_[A-Za-z0-9]{30,} | nvapi-[A-Za-z0-9_-]{40,}
        | lsv2_[ps][tk]_[a-f0-9_]{40,}
        # Mail, telephony, messages
        | SG\.[A-Za-z0-9_=-]{16,}\.[A-Za-z0-9_=-]{16,} | SG\.[A-Za-z0-9_=.-]{60,}
        | xkeysib-[a-f0-9]{40,}(?:-[A-Za-z0-9]{10,})? | xsmtpsib-[a-f0-9]{40,}(?:-[A-Za-z0-9]{10,})?
        | SK[0-9a-fA-F]{32}
        | (?:pub)?key-[a-f0-9]{32}
        | re_[A-Za-z0-9]{8}_[A-Za-z0-9]{20,}
        # Payment and shops
        | FLW(?:SECK|PUBK)(?:_TEST)?-[A-Za-z0-9-]{12,}
        | EZ[AT]K[A-Za-z0-9]{40,}
        | shp(?:at|ca|pa|ss|ka)_[a-fA-F0-9]{32}
        | shippo_(?:live|test)_[a-fA-F0-9]{30,}
        | sq0[a-z]{3}-[A-Za-z0-9_-]{22,}
        | duffel_(?:test|live)_[A-Za-z0-9_=-]{30,}
        | access-(?:sandbox|development|production)-[0-9a-f]{8}-[0-9a-f-]{27}
        | (?:live|test)_[a-f0-9]{35}(?-u:\b) | (?:live|test)_pub_[a-f0-9]{31}(?-u:\b)
        | sk_[A-Za-z0-9]{29}(?-u:\b)
        # The rest
        | p8[es]-[A-Za-z0-9]{20,}
        | dnkey-[A-Za-z0-9=_-]{26}-[A-Za-z0-9=_-]{40,}
        | sl\.(?:u\.)?[A-Za-z0-9_=-]{100,}
        | EAA[A-Za-z0-9][A-Za-z0-9_-]{22,}
        | fio-u-[A-Za-z0-9_=-]{40,}
        | figd_[A-Za-z0-9_-]{30,}
        | lin_(?:api|oauth)_[A-Za-z0-9]{30,}
        | [ps]k\.[A-Za-z0-9_-]{40,}\.[A-Za-z0-9_-]{16,}
        | ntn_[A-Za-z0-9]{40,} | secret_[A-Za-z0-9]{43}(?-u:\b)
        | pat-[a-z]{2}[0-9]-[0-9a-f]{8}-[0-9a-f-]{27}
        | sm_[a-z]{3}_[A-Za-z0-9]{16,}
        | A{21,}[A-Za-z0-9%]{60,}
        | tfp_[A-Za-z0-9_.=-]{40,}
        | webhook\.office\.com/webhookb2/[A-Za-z0-9@/-]{40,}
        ))",
        secret: shapes::vendor_token,
        // The shapes one by one are the matter of a test that draws tokens from them; see tests/redaction/vendors.rs.
        masked: &[
            (concat!("gl", "pat-abcdefghij0123456789"), "abcdefghij0123456789"),
            (concat!("hv", "s.abcdefghij0123456789abcdef"), "abcdefghij0123456789"),
            (concat!(r#"{"out": "done\n"#, "dckr", r#"_pat_abcdefghij0123456789ab"}"#), "abcdefghij0123456789ab"),
        ],
        kept: &[
            "risk-assessment-of-the-rotation-schedule",
            "npm_config_cache",
            "glue-job-of-the-orders-warehouse-in-production",
            "sk-SK is a locale, sk_test_ a prefix",
            "access-development-guidelines-of-the-company",
            "pat-eu1 is a name",
            "key-rotation-of-the-orders-database",
            "live_migration_of_the_orders_database_to_aurora",
            "sl.so is no token",
            "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        ],
    },
    SecretKind {
        kind: "vendor token",
        // What is told by its middle or its end: Microsoft Entra, HCP Terraform, Telegram, Mailchimp, MaxMind, New Relic.
        regex: r"[0-9]Q~[A-Za-z0-9_~.-]{30}|\.atlasv1\.[A-Za-z0-9_=-]{40}|[0-9]:A[A-Za-z0-9_-]{34}|[a-f0-9]-us[0-9]{1,2}(?-u:\b)|[A-Za-z0-9]_mmk(?-u:\b)|[a-f0-9]NRAL(?-u:\b)",
        secret: shapes::around,
        masked: &[
            (concat!("abc8", "Q~abcdefghijklmnopqrstuvwxyz0123456789"), "abcdefghijklmnop"),
            (concat!("0123456789abcdef0123456789abcdef", "-us12"), "0123456789abcdef"),
        ],
        kept: &[
            "arn:aws:lambda:us-east-1:123456789012:A-long-name-of-a-function-of-the-orders",
            "cafe-us2 and prod-us1",
            "the suffix a_mmk",
        ],
    },
];
