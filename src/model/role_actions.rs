//! What a rotation does in the name of its role, and in which of its steps.

use super::rotation_step::RotationStep;
use RotationStep::{CreateSecret, FinishSecret, SetSecret, TestSecret};

/// An action, and the rotation steps that fail without it.
pub type RoleAction = (&'static str, &'static [RotationStep]);

const READING: &[RotationStep] = &[CreateSecret, SetSecret, TestSecret];

/// What every rotation function does with its secret.
///
/// Source: Secrets Manager User Guide, "Lambda rotation function execution role permissions", and the official templates.
pub const ON_SECRET: [RoleAction; 4] = [
    ("secretsmanager:DescribeSecret", &RotationStep::ALL),
    ("secretsmanager:GetSecretValue", READING),
    ("secretsmanager:PutSecretValue", &[CreateSecret]),
    ("secretsmanager:UpdateSecretVersionStage", &[FinishSecret]),
];

/// The one that has no resource.
pub const RANDOM_PASSWORD: RoleAction = ("secretsmanager:GetRandomPassword", &[CreateSecret]);

/// What Secrets Manager does in the role's name with a customer key of the secret.
pub const ON_KEY: [RoleAction; 2] = [("kms:Decrypt", READING), ("kms:GenerateDataKey", &[CreateSecret])];

/// What a partner-managed rotation does with the administrator's secret that its metadata names.
///
/// Source: Secrets Manager User Guide, "Security in managed external secrets".
pub const ON_ADMIN_SECRET: [RoleAction; 2] =
    [("secretsmanager:DescribeSecret", &RotationStep::ALL), ("secretsmanager:GetSecretValue", &RotationStep::ALL)];

/// What Lambda does in the role's name for a function in a VPC.
///
/// Source: Lambda Developer Guide, "Required IAM permissions".
pub const ON_NETWORK: [RoleAction; 3] = [
    ("ec2:CreateNetworkInterface", &RotationStep::ALL),
    ("ec2:DescribeNetworkInterfaces", &RotationStep::ALL),
    ("ec2:DeleteNetworkInterface", &RotationStep::ALL),
];
