//! The faults that share a cause and want another advice each.

use crate::model::Cause;

/// A fault whose title, explanation and remedy are its own, because those of its cause do not hold for it.
///
/// `diagnosis::advice` has the texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    // The database refuses the login.
    /// PostgreSQL asks members of `rds_iam` for a token; a password never logs them in.
    TokensOnly,
    /// No line of pg_hba.conf admits the client, with TLS or without.
    NotAdmitted,
    /// The user or role is not there.
    UserGone,
    /// The user is there and may not log in.
    UserMayNotLogIn,
    /// The account is locked.
    AccountLocked,
    /// The password has expired.
    PasswordExpired,
    /// Client and server have no way to authenticate in common.
    MethodUnsupported,
    /// The function sent no password.
    NoPasswordSent,
    /// PostgreSQL takes the password and does not let the user into the database.
    MayNotConnect,

    // The database refuses the statement.
    /// MySQL knows the user for another host part than the statement names.
    UserOfAnotherHost,
    /// The user that is to be made is there already.
    UserLeftOver,
    /// MySQL answers a GRANT or ALTER statement with the words of a refused login.
    GrantRefused,
    /// The server answered a statement with an error that nothing else here knows.
    StatementFailed,

    // The wrong host.
    /// The host takes no writes: a reader endpoint, a replica, a standby.
    ReadOnlyHost,
    /// The database instance was changed between versions.
    AnotherInstance,

    // TLS.
    /// The two sides share no protocol version or cipher.
    TlsVersions,
    /// The server demands TLS.
    TlsRequired,
    /// The server has no TLS to offer.
    TlsNotOffered,
    /// The server's certificate is not trusted, or has expired.
    CertificateUntrusted,
    /// A certificate is built in a way that the function's TLS library does not accept, whoever signed it.
    CertificateForm,
    /// The server demands a certificate of the client.
    ClientCertificateRequired,

    // The target answers, and will not.
    /// The server is starting, stopping or recovering.
    NotAccepting,
    /// The server ended the connection.
    ConnectionEnded,
    /// Every connection is in use.
    ConnectionsUsedUp,
    /// The statement waited for a lock, or was cancelled.
    Locked,
    /// An AWS API knows no such user.
    ApiUserGone,
    /// AWS refuses what a call asks for.
    ApiRefused,
    /// An AWS API knows no such instance or cluster.
    ApiDatabaseGone,
    /// The database is in a state in which AWS changes nothing.
    ApiDatabaseDown,
    /// Aurora is waking from the pause it takes where nobody uses it.
    DatabaseResuming,
    /// The mail server refuses the login.
    MailLogin,
    /// The server has an error of its own: disk full, out of memory, corrupt.
    ServerError,
    /// MySQL does not let this host in, or has blocked it.
    HostNotAllowed,
    /// A rule of the service's own does not let the function's address in.
    AddressNotAllowed,
    /// The host's name does not resolve.
    NameNotResolved,
    /// Nothing listens on the port.
    PortRefused,

    // Inputs.
    /// The port in the secret is no number.
    BadPort,
    /// The secret holds binary data and no string.
    BinaryValue,
    /// The user name or password holds a character the template does not pass on.
    BadCharacter,
    /// A field of the secret has a value the template cannot use.
    BadField,
    /// An environment variable that must be a number is none.
    BadNumber,
    /// The endpoint in the environment is no URL.
    BadEndpoint,

    // The package and the machine.
    /// Python's standard library no longer has the module.
    ModuleRemoved,
    /// Driver and server have no version of MongoDB's protocol in common.
    DriverApart,
    /// The function's own disk is full.
    TmpFull,

    // Directories.
    /// The directory's rules refuse the new password.
    DirectoryPassword,
    /// The directory sets passwords only over an encrypted connection.
    DirectoryNeedsTls,
    /// Active Directory names what is wrong with the account.
    DirectoryAccount,
    /// The directory has no such user.
    DirectoryUserGone,

    // Versions and values.
    /// No version carries AWSCURRENT.
    NoCurrentVersion,
    /// createSecret never stored the pending value.
    PendingNeverStored,
    /// What identifies the credential was changed between versions.
    KindChanged,
    /// The InfluxDB function was not allowed to make tokens.
    TokenMakingOff,
    /// The principals in the secret are not those of the keytab.
    KeytabPrincipals,
    /// The keytab cannot be read or made.
    KeytabInvalid,
    /// Nothing is left of the user's name without its suffix.
    EmptyName,
    /// The template knows no such permission of the user it copies.
    PermissionUnknown,
    /// A database ARN in the superuser secret's tag is no ARN.
    TagInvalid,
}

impl Fault {
    /// Whether a line that an entry reads as `cause` has this fault: some entries mean another cause by the peer they name.
    pub(super) fn is_of(self, cause: Cause) -> bool {
        match self {
            Fault::CertificateUntrusted | Fault::CertificateForm => cause == Cause::DbSslMismatch,
            Fault::NameNotResolved | Fault::PortRefused => cause == Cause::DbNetworkUnreachable,
            Fault::BadNumber | Fault::BadEndpoint => cause == Cause::CodeMissingEnv,
            Fault::BadPort | Fault::BadField => cause == Cause::SecretJsonInvalid,
            _ => true,
        }
    }

    /// Every fault.
    pub const ALL: [Fault; 58] = [
        Fault::TokensOnly,
        Fault::NotAdmitted,
        Fault::UserGone,
        Fault::UserMayNotLogIn,
        Fault::AccountLocked,
        Fault::PasswordExpired,
        Fault::MethodUnsupported,
        Fault::NoPasswordSent,
        Fault::MayNotConnect,
        Fault::UserOfAnotherHost,
        Fault::UserLeftOver,
        Fault::GrantRefused,
        Fault::StatementFailed,
        Fault::ReadOnlyHost,
        Fault::AnotherInstance,
        Fault::TlsVersions,
        Fault::TlsRequired,
        Fault::TlsNotOffered,
        Fault::CertificateUntrusted,
        Fault::CertificateForm,
        Fault::ClientCertificateRequired,
        Fault::NotAccepting,
        Fault::ConnectionEnded,
        Fault::ConnectionsUsedUp,
        Fault::Locked,
        Fault::ApiUserGone,
        Fault::ApiRefused,
        Fault::ApiDatabaseGone,
        Fault::ApiDatabaseDown,
        Fault::DatabaseResuming,
        Fault::MailLogin,
        Fault::ServerError,
        Fault::HostNotAllowed,
        Fault::AddressNotAllowed,
        Fault::NameNotResolved,
        Fault::PortRefused,
        Fault::BadPort,
        Fault::BinaryValue,
        Fault::BadCharacter,
        Fault::BadField,
        Fault::BadNumber,
        Fault::BadEndpoint,
        Fault::ModuleRemoved,
        Fault::DriverApart,
        Fault::TmpFull,
        Fault::DirectoryPassword,
        Fault::DirectoryNeedsTls,
        Fault::DirectoryAccount,
        Fault::DirectoryUserGone,
        Fault::NoCurrentVersion,
        Fault::PendingNeverStored,
        Fault::KindChanged,
        Fault::TokenMakingOff,
        Fault::KeytabPrincipals,
        Fault::KeytabInvalid,
        Fault::EmptyName,
        Fault::PermissionUnknown,
        Fault::TagInvalid,
    ];
}
