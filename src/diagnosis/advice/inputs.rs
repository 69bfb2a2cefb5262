//! What the function was given: fields of the secret, variables of its environment, files.

use super::{Advice, Shown};
use crate::diagnosis::remedy::{
    ROTATION_FUNCTIONS, SECRET_STRUCTURE, TEMPLATES, TROUBLESHOOTING, aws_in, secrets_manager_endpoint,
};
use crate::model::Remediation;

/// Corrects the secret's value, so that no version made from the wrong one is taken up again.
fn correct_value(shown: Shown<'_, '_, '_>, summary: &str) -> Remediation {
    Remediation::new(summary).put_value(shown.context).discard_pending(shown.context).rotate(shown.context).link(SECRET_STRUCTURE)
}

pub(super) fn bad_port(shown: Shown<'_, '_, '_>) -> Advice {
    Advice {
        title: "the port in the secret is not a number".into(),
        explanation: format!(
            "The function could not read the secret's port as a number{}, so it never tried to connect.",
            shown.in_step()
        ),
        remediation: correct_value(
            shown,
            "Store \"port\" as a plain number such as 5432, without \"/tcp\" or any other text. Remove AWSPENDING from a version \
             created before, and rotate.",
        ),
    }
}

pub(super) fn binary_value(shown: Shown<'_, '_, '_>) -> Advice {
    Advice {
        title: "the secret's value is binary, not text".into(),
        explanation: format!(
            "The function asked for the secret's string{}, and there is none: the value was stored as binary data, which \
             rotation functions do not read.",
            shown.in_step()
        ),
        remediation: correct_value(
            shown,
            "Store the value as a JSON string (put-secret-value with --secret-string, not --secret-binary). Remove AWSPENDING \
             from a version created before, and rotate.",
        ),
    }
}

pub(super) fn bad_character(shown: Shown<'_, '_, '_>) -> Advice {
    Advice {
        title: "the user name in the secret contains a character that the template refuses".into(),
        explanation: format!(
            "The function checks the user name before it calls kinit, and refused a character in it{}.",
            shown.in_step()
        ),
        remediation: correct_value(shown, "Store a user name of letters, digits, dots, hyphens and underscores, and rotate."),
    }
}

pub(super) fn bad_field(shown: Shown<'_, '_, '_>) -> Advice {
    Advice {
        title: "a field of the secret has a value that the function cannot use".into(),
        explanation: format!(
            "The function read the secret{}, but could not use the field that the quoted line names.",
            shown.in_step()
        ),
        remediation: correct_value(
            shown,
            "Correct the field: a URL begins with https://, and a permission is written <action>-<type>, such as write-tasks. \
             Remove AWSPENDING from a version created before, and rotate.",
        ),
    }
}

/// Corrects an environment variable.
fn correct_environment(shown: Shown<'_, '_, '_>, summary: &str) -> Remediation {
    Remediation::new(summary).set_environment(shown.context).rotate(shown.context).link(ROTATION_FUNCTIONS)
}

pub(super) fn bad_number(shown: Shown<'_, '_, '_>) -> Advice {
    Advice {
        title: "an environment variable of the function has a value that it cannot use".into(),
        explanation: format!(
            "The function could not use one of its rules for the new password{}: PASSWORD_LENGTH must be a number that Secrets \
             Manager allows, and EXCLUDE_CHARACTERS a plain string.",
            shown.in_step()
        ),
        remediation: correct_environment(
            shown,
            "Correct the variable in environment.json (a length is a number from 4 to 4096, without a unit), keep the others, \
             and rotate.",
        ),
    }
}

pub(super) fn bad_endpoint(shown: Shown<'_, '_, '_>) -> Advice {
    Advice {
        title: "the endpoint in the function's environment is not a URL".into(),
        explanation: format!(
            "The function could not use the endpoint it was given{}: SECRETS_MANAGER_ENDPOINT must be a complete URL that begins \
             with https://.",
            shown.in_step()
        ),
        remediation: correct_environment(
            shown,
            &format!(
                "Set SECRETS_MANAGER_ENDPOINT to {} in environment.json, keep the other variables, and rotate.",
                secrets_manager_endpoint(shown.context)
            ),
        ),
    }
}

pub(super) fn token_making_off(shown: Shown<'_, '_, '_>) -> Advice {
    Advice {
        title: "the function's environment does not let it create InfluxDB tokens".into(),
        explanation: format!("The template creates a token{} only if its environment variables allow it.", shown.in_step()),
        remediation: correct_environment(
            shown,
            "Set AUTHENTICATION_CREATION_ENABLED to true in environment.json, keep the other variables, and rotate.",
        ),
    }
}

pub(super) fn tag_invalid(shown: Shown<'_, '_, '_>) -> Advice {
    let look = ["secretsmanager", "list-secrets", "--query", "SecretList[].{name:Name,arn:ARN,tags:Tags}"];
    Advice {
        title: "the superuser secret's tag does not name a database".into(),
        explanation: format!(
            "The function takes the superuser's database from a tag of the superuser's secret{}, and the text there is too long \
             for an ARN.",
            shown.in_step()
        ),
        remediation: Remediation::new(
            "Set \"masterarn\" in the secret to a superuser's secret that has its own \"host\", or whose tag was written by the \
             service that owns it. Then rotate.",
        )
        .run(aws_in(shown.context, &look))
        .needs("secretsmanager:ListSecrets")
        .put_value(shown.context)
        .discard_pending(shown.context)
        .rotate(shown.context)
        .link(TROUBLESHOOTING),
    }
}

pub(super) fn empty_name(shown: Shown<'_, '_, '_>) -> Advice {
    Advice {
        title: "the user name in the secret is nothing but the suffix _clone".into(),
        explanation: format!(
            "The function removes _clone from the user name to find the first user{}, and nothing is left.",
            shown.in_step()
        ),
        remediation: correct_value(shown, "Store the name of the first user, without _clone, under \"username\", and rotate."),
    }
}

pub(super) fn permission_unknown(shown: Shown<'_, '_, '_>) -> Advice {
    Advice {
        title: "the template cannot copy a permission of the first user".into(),
        explanation: format!(
            "The function copies the first user's permissions to the second{}, and one of them is of a kind that the template \
             does not know.",
            shown.in_step()
        ),
        remediation: Remediation::new(
            "Take the permission from the first user (the quoted line names its kind) and give it to a role of which both users \
             are members. Or create the function anew from the current template and bind the secret to it. Then rotate.",
        )
        .bind_new_function(shown.context)
        .link(TEMPLATES),
    }
}

pub(super) fn keytab_principals(shown: Shown<'_, '_, '_>) -> Advice {
    Advice {
        title: "the principals in the secret are not those of the keytab".into(),
        explanation: format!(
            "The function creates a keytab for the principals that the secret lists{}, but the keytab in use has others. The \
             template stops here on purpose: somebody may have changed one of the two.",
            shown.in_step()
        ),
        remediation: correct_value(
            shown,
            "Find out which of the two lists is right. Store the right principals in the secret, or the right keytab in its own \
             secret, and rotate.",
        ),
    }
}

pub(super) fn keytab_invalid(shown: Shown<'_, '_, '_>) -> Advice {
    Advice {
        title: "the keytab cannot be created, read or used".into(),
        explanation: format!(
            "The function could not create or use a keytab{}. The directory either accepted the password or had not been asked \
             yet.",
            shown.in_step()
        ),
        remediation: Remediation::new(
            "Check that the keytab's own secret contains a keytab in base64, that its principals are those of the user, and that \
             the function's layer has ktutil and msktutil. Then rotate.",
        )
        .put_value(shown.context)
        .discard_pending(shown.context)
        .rotate(shown.context)
        .link(TEMPLATES),
    }
}
