//! What the function is built of and runs on: its package, its runtime, its disk.

use super::{Advice, Shown};
use crate::diagnosis::readings::runtime;
use crate::diagnosis::remedy::{LAMBDA_DEPLOYMENT, ROTATION_FUNCTIONS, aws_in};
use crate::lambda_log::Record;
use crate::model::Remediation;

/// What left the standard library with Python 3.12; what else is asked for left it with 3.13.
const LEFT_WITH_3_12: [&str; 5] = ["asynchat", "asyncore", "distutils", "imp", "smtpd"];

pub(super) fn module_removed(shown: Shown<'_, '_, '_>) -> Advice {
    let text = Record::read(shown.text()).text;
    let module = text.split_once("No module named ").map_or("", |(_, rest)| rest).trim_start_matches(['\\', '\'', '"']);
    let module = module.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default();
    let since = if LEFT_WITH_3_12.contains(&module) { "3.12" } else { "3.13" };
    let change = runtime::change(shown.context, shown.seen.read.event.at);
    let said = change.as_ref().map(|change| change.said.as_str()).unwrap_or_default();
    let previous = change.as_ref().and_then(|_| runtime::previous(shown.context));
    let later = "update the library that imports it, or take the import out of the function's own code";
    let fix = match &previous {
        Some(previous) => Remediation::new(format!(
            "Set the runtime back to {previous}, and rotate. Later {later}, and change code and runtime together."
        ))
        .configure_function(shown.context, &["--runtime", previous]),
        None => Remediation::new(format!(
            "No package of that name is missing: {later}, build the package for the present runtime, deploy it, and rotate."
        ))
        .deploy_code(shown.context),
    };
    Advice {
        title: "the function imports a module that Python no longer has".into(),
        explanation: format!(
            "Lambda could not load the function's code: it, or a library in its package, imports {module}, which Python's standard \
             library no longer has since {since}.{said}"
        ),
        remediation: fix.rotate(shown.context).link(LAMBDA_DEPLOYMENT),
    }
}

pub(super) fn driver_apart(shown: Shown<'_, '_, '_>) -> Advice {
    let is_old = ["OP_QUERY", "require an upgrade", "requires at most", "only supports up to"]
        .iter()
        .any(|word| shown.text().contains(word));
    let (title, what, fix) = if is_old {
        (
            "the function's MongoDB driver is too old for the server",
            "the server no longer answers the commands of a driver that old",
            "Build the package with a current driver, deploy it, and rotate.",
        )
    } else {
        (
            "the function's MongoDB driver no longer works with a server of this version",
            "the server is older than the oldest that this driver works with",
            "Pin the driver to the last version that works with the server, deploy it, and rotate. Later upgrade the server, and \
             then the driver.",
        )
    };
    Advice {
        title: title.into(),
        explanation: format!("The function reached the server{}, but {what}. The password was not checked.", shown.in_step()),
        remediation: Remediation::new(fix).deploy_code(shown.context).rotate(shown.context).link(LAMBDA_DEPLOYMENT),
    }
}

pub(super) fn tmp_full(shown: Shown<'_, '_, '_>) -> Advice {
    let name = shown.context.function_name().unwrap_or("FUNCTION_NAME");
    let look = ["lambda", "get-function-configuration", "--function-name", name, "--query", "EphemeralStorage"];
    let fix = Remediation::new(
        "Give the function more than it has, as in the command, and rotate. Then let its code delete what it writes to /tmp: an \
         environment that is used again keeps it.",
    )
    .run(aws_in(shown.context, &look))
    .needs("lambda:GetFunctionConfiguration")
    .configure_function(shown.context, &["--ephemeral-storage", "Size=1024"])
    .warn("A function has 512 MB unless it was given more: a size below the present one would take some away.");
    Advice {
        title: "the function's own disk, /tmp, is full".into(),
        explanation: format!(
            "The function could not write a file{}: the disk of its environment is full. The database's storage has no part in it.",
            shown.in_step()
        ),
        remediation: fix.rotate(shown.context).link(ROTATION_FUNCTIONS),
    }
}
