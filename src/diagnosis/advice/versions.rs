//! Versions without a value, and versions that do not fit each other.

use super::{Advice, Shown};
use crate::diagnosis::remedy::{ROTATION_FUNCTIONS, SECRET_STRUCTURE, aws_in};
use crate::model::Remediation;

pub(super) fn no_current_version(shown: Shown<'_, '_, '_>) -> Advice {
    let list = ["secretsmanager", "list-secret-version-ids", "--secret-id", shown.context.secret_id(), "--include-deprecated"];
    Advice {
        title: "no version of the secret carries AWSCURRENT".into(),
        explanation: format!(
            "The function looked for the version labelled AWSCURRENT{} and found none: no value was ever stored, or the label \
             was removed by hand. There is nothing to rotate from.",
            shown.in_step()
        ),
        remediation: Remediation::new(
            "Look at the versions. Store the value that is valid now, which makes it AWSCURRENT. Remove AWSPENDING from the \
             version that was created without it, and rotate.",
        )
        .run(aws_in(shown.context, &list))
        .needs("secretsmanager:ListSecretVersionIds")
        .put_value(shown.context)
        .discard_pending(shown.context)
        .rotate(shown.context)
        .link(SECRET_STRUCTURE),
    }
}

pub(super) fn pending_never_stored(shown: Shown<'_, '_, '_>) -> Advice {
    Advice {
        title: "the pending version has no value: createSecret stored none".into(),
        explanation: format!(
            "A step after createSecret asked for the pending value{}, and there is none: createSecret ended without an error but \
             stored no value under the token it was given, or somebody removed the label in between.",
            shown.in_step()
        ),
        remediation: Remediation::new(
            "Read the function's createSecret: it must put the new value with ClientRequestToken and the label AWSPENDING before \
             it returns. Remove AWSPENDING from a version without a value, correct and deploy the code, and rotate.",
        )
        .discard_pending(shown.context)
        .deploy_code(shown.context)
        .rotate(shown.context)
        .link(ROTATION_FUNCTIONS),
    }
}

pub(super) fn kind_changed(shown: Shown<'_, '_, '_>) -> Advice {
    Advice {
        title: "the token's user or type was changed between versions".into(),
        explanation: format!(
            "The pending version's token belongs to another user, or is of another type, than the current one's{}; the template \
             replaces a token only with one of the same kind.",
            shown.in_step()
        ),
        remediation: Remediation::new(
            "Store a value whose user and type are those of the token in use, remove AWSPENDING from the version created before, \
             and rotate.",
        )
        .put_value(shown.context)
        .discard_pending(shown.context)
        .rotate(shown.context)
        .link(SECRET_STRUCTURE),
    }
}
