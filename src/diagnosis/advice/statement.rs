//! The login works, and the database refuses the statement.

use super::{Advice, Shown};
use crate::diagnosis::database;
use crate::diagnosis::readings::strategy;
use crate::diagnosis::remedy::TROUBLESHOOTING;
use crate::model::Remediation;

pub(super) fn user_of_another_host(shown: Shown<'_, '_, '_>) -> Advice {
    let account = shown.account();
    let named = account.as_ref().map_or_else(|| "such an account".to_owned(), |one| format!("'{}'@'{}'", one.user, one.host()));
    let look = shown.statement_about(|account| format!("SELECT user, host FROM mysql.user WHERE user = '{}'", account.user));
    let is_named = account.is_some();
    let renamed = |fix: Remediation| match is_named {
        true => fix,
        false => fix.rename_to_everywhere(shown.context, shown.engine()),
    };
    Advice {
        title: "the user exists for another host part than the function names".into(),
        explanation: format!(
            "To MySQL, user and host together are one account, and there is no {named}, which the function names{}. The account \
             exists with another host part, or not at all where only the superuser logged in.",
            shown.in_step()
        ),
        remediation: renamed(
            Remediation::new(format!(
                "See with which host part the user exists, and rename that account to the one that the function names; if there is \
                 none, create it. Run both as an administrator.{} Then rotate.",
                database::run_by(shown.engine())
            ))
            .run_statement(shown.statement(&look))
            .run_statement(account.map(|one| database::what_it_prints(&database::rename(&one.user, one.host())))),
        )
        .rotate(shown.context)
        .warn("Once renamed, the user can log in only from the addresses that the new host part covers.")
        .link("https://dev.mysql.com/doc/refman/8.4/en/account-names.html"),
    }
}

pub(super) fn user_left_over(shown: Shown<'_, '_, '_>) -> Advice {
    let user = shown.named_user();
    let engine = shown.engine();
    let sql = shown.statement_about(|account| {
        let user = &account.user;
        match engine {
            Some("mysql" | "mariadb") => format!("DROP USER '{user}'@'{}'", account.host()),
            Some("sqlserver") => format!("DROP LOGIN [{user}]"),
            Some("oracle") => format!("DROP USER {user}"),
            Some("mongodb") => format!("db.dropUser(\"{user}\")"),
            _ => format!("DROP ROLE \"{user}\""),
        }
    });
    Advice {
        title: "the second user that the function wants to create exists already".into(),
        explanation: format!(
            "The function tried to create the user{user}{}, but it exists already: it was created by hand, or an earlier \
             rotation stopped after creating it. No right is missing.",
            shown.in_step()
        ),
        remediation: Remediation::new(format!(
            "Make sure that nothing uses the user, and drop it as an administrator ({sql}): the rotation then creates it with \
             the rights of the first user. Then rotate."
        ))
        .run_statement(shown.statement(&sql))
        .rotate(shown.context)
        .warn(format!("Whatever logs in as the user{user} is cut off, and a user that owns objects cannot be dropped."))
        .link("https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotation-strategy.html"),
    }
}

pub(super) fn grant_refused(shown: Shown<'_, '_, '_>) -> Advice {
    let user = shown.named_user();
    let look = shown.statement_about(|account| format!("SHOW GRANTS FOR '{}'@'{}'", account.user, account.host()));
    let alternates = strategy::alternates(shown.context);
    Advice {
        title: "the database user may not pass on the rights that the function grants".into(),
        explanation: format!(
            "The function was logged in as the user{user}{}. MySQL answers a refused GRANT or ALTER statement with \"Access \
             denied for user\", the same words as for a refused login. The password is right; a privilege is missing.",
            shown.in_step()
        ),
        remediation: if alternates { rights_of_the_superuser(shown, &look) } else { rights_of_its_own(shown, &look) }
            .rotate(shown.context)
            .link(TROUBLESHOOTING),
    }
}

/// The superuser makes users and passes rights on, so that it needs them all, with the right to pass them on.
fn rights_of_the_superuser(shown: Shown<'_, '_, '_>, look: &str) -> Remediation {
    let user = shown.named_user();
    Remediation::new(format!(
        "Compare the rights of the user{user} with those of the user that it creates: it needs each of them WITH GRANT \
         OPTION, and CREATE USER. On RDS the master user lacks SUPER and FILE: take those from the first user instead. Then \
         rotate."
    ))
    .run_statement(shown.statement(look))
    .run_statement(shown.account().and_then(|account| {
        let grantee = format!("'{}'@'{}'", account.user, account.host());
        shown.statement(
            &database::SUPERUSER_RIGHTS.map(|rights| format!("GRANT {rights} TO {grantee} WITH GRANT OPTION")).join("; "),
        )
    }))
    .warn(database::WIDE_GRANT)
    .drop_half_made(shown.context, shown.engine())
}

/// A user that changes its own password needs no right for that: one for every account is not the answer.
fn rights_of_its_own(shown: Shown<'_, '_, '_>, look: &str) -> Remediation {
    Remediation::new(
        "See which rights the user has, and which statement the quoted lines show. To change its own password it needs none: let the \
         function name the very account that it is logged in as, user and host part alike. Grant what another statement needs on the \
         one database that it is about. Then rotate.",
    )
    .run_statement(shown.statement(look))
    .run_statement(shown.statement("SELECT user, host FROM mysql.user ORDER BY user, host"))
}

pub(super) fn failed(shown: Shown<'_, '_, '_>) -> Advice {
    let noun = shown.noun();
    let remediation = Remediation::new(format!(
        "Read the quoted answer, run the statement by hand as the same user to see it again, and correct in the {noun} what \
         the answer names. Then rotate."
    ));
    Advice {
        title: format!("the {noun} answered the function's statement with an error"),
        explanation: format!(
            "The function reached the {noun} and ran a statement{}, and the {noun} answered with the quoted error. The error \
             is the {noun}'s, not a fault in the function's code.",
            shown.in_step()
        ),
        remediation: shown.list_instances(remediation).rotate_after_others(shown.context).link(TROUBLESHOOTING),
    }
}
