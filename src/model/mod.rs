//! Pure data: no I/O, no async, no clock, no vendor types.

mod action;
mod alarm;
mod arn;
mod cause;
mod chat;
mod consumers;
mod database_ref;
mod diagnosis;
mod event_name;
mod evidence;
mod excerpt;
mod finding;
mod function_code;
mod ids;
mod investigation;
mod invocation;
mod ip_range;
mod length;
mod likeness;
mod moment;
mod network;
mod network_look;
mod network_path;
mod observation;
mod plan;
mod region;
pub mod role_actions;
mod rotation_step;
mod schedule;
mod secret_ref;
pub mod spans;
mod step;
mod target_database;
mod text_type;
mod tool;
mod trigger;
mod window;

pub use action::{Action, ActionKind, ActionNeeds, ActionToken, ActionWord, TokenError};
pub use alarm::{Alarm, AlarmSeries, AlarmSource, AlarmState, OkBasis};
pub use arn::{Arn, ArnError, FunctionArn, LAMBDA_LOGS, RoleArn, SecretArn, is_secret_name};
pub use cause::{Cause, DiagnosisItem};
pub use chat::{Actor, InvestigationRequest, NotAPlatform, Place, PlatformName, ReplyTo, Standing, ThreadRef};
pub use consumers::{Consumers, SecretReader, VersionAccess};
pub use database_ref::{DatabaseHost, DatabaseRef, DatabaseRefError};
pub use diagnosis::Diagnosis;
pub use event_name::without_version;
pub use evidence::{
    Attempt, AttemptOutcome, Change, Concern, ConfigChanges, DetachedPolicy, DueDates, EventSource, Evidence, FleetSecret,
    FunctionFacts, FunctionLogs, FunctionMetrics, HealthEvent, KeyFacts, LogGroupFacts, MetadataItem, MetricPoint, NOT_ASKED_FOR,
    PolicyChange, PolicyDocument, Refusal, Replica, RoleFacts, RolePolicies, RotationConfig, RotationHistory, RotationRules,
    SecretAccess, SecretFacts, SecretVersion, SetAside, SimulatedDecision, Simulation, StepView, Unsearched, VpcConfig,
};
pub use excerpt::excerpt;
pub use finding::{
    Comparison, Confidence, CorrelatedChange, FailureRow, Finding, FollowUp, ManualCheck, NotChecked, Outcome, Proof,
    Remediation, RuledOut, Severity,
};
pub use function_code::{
    CodePlace, CodeSource, CompiledMisfit, FunctionCode, HandlerPart, MissingModule, MissingReason, StepBody, StepCode,
    TemplateDefect, TemplateMark,
};
pub use ids::{InvestigationId, ThreadId};
pub use investigation::Investigation;
pub use invocation::{Invocation, InvocationStatus, LogEvent};
pub use ip_range::{IpProtocol, IpRange, IpRangeError, PortRange};
pub use length::{TimeUnit, in_largest_unit};
pub use likeness::{more_like, probably_meant};
pub use moment::{MOMENT, moment, moment_form};
pub use network::{
    AclEntry, EndpointKind, GroupPeer, GroupRule, NatGateway, Network, NetworkAcl, NetworkList, PeeredVpc, Peering, PrefixList,
    RouteDestination, RouteTable, RouteTarget, SecurityGroup, Subnet, TransitAssociation, TransitAttachment, TransitEnd,
    TransitRoute, TransitTable, Vpc, VpcEndpoint, VpcRoute,
};
pub use network_look::NetworkLook;
pub use network_path::{NetworkPath, PathHop, PathState};
pub use observation::{ApiCall, Denial, Observation, StepRecord};
pub use plan::{Forecast, Obstacle, Plan, PlanStep, UndoDanger};
pub use region::{AccountId, Region, RegionError};
pub use rotation_step::RotationStep;
pub use schedule::{Schedule, ScheduleError};
pub use secret_ref::{SecretRef, SecretRefError};
pub use step::StepName;
pub use target_database::{DatabaseChoice, DatabaseKind, MasterSecret, TargetDatabase, TlsDemand};
pub use tool::Tool;
pub use trigger::{ActionRequest, Command, IncomingEvent, Payload, Recheck, Trigger};
pub use window::{Lookback, LookbackError, Window};
