//! The managed policies of AWS that roles of rotation functions have.

const LOGS: &[&str] = &["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"];

pub(super) const NETWORK: &[&str] =
    &["ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DetachNetworkInterface"];

/// A managed policy of AWS that roles of rotation functions have: its path, ARN and actions.
pub(super) fn aws_managed(name: &str) -> Option<(&'static str, String, Vec<&'static str>)> {
    let actions = match name {
        "AWSLambdaBasicExecutionRole" => LOGS.to_vec(),
        "AWSLambdaVPCAccessExecutionRole" => [LOGS, NETWORK].concat(),
        _ => return None,
    };
    Some(("/service-role/", format!("arn:aws:iam::aws:policy/service-role/{name}"), actions))
}
