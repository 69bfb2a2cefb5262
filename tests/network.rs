//! The look at the network: what it asks EC2 and RDS, when it asks nothing, and what refusals, faults and pages make of it.

#![expect(clippy::indexing_slicing, clippy::unwrap_used, clippy::panic, reason = "what a test builds upon must be there")]

use jiff::{SignedDuration, Timestamp};
use rotation_diag::aws::{Aws, AwsOptions, Registry};
use rotation_diag::clock::Clock;
use rotation_diag::investigation::{Options, investigate};
use rotation_diag::model::{
    DatabaseChoice, DatabaseKind, DatabaseRef, EndpointKind, GroupPeer, Investigation, Network, Observation, RouteDestination,
    RouteTarget, StepName, TargetDatabase,
};
use rotation_diag::simulator::{Scenario, Simulator};
use std::collections::BTreeSet;
use std::time::Duration;

const NOW: &str = "2026-03-10T12:00:00Z";

/// Longer than any machine needs.
const PATIENCE: Duration = Duration::from_secs(600);

/// How long EC2 and RDS take to answer, so that what waits for an answer is told from what is asked beside it.
const LATENCY: SignedDuration = SignedDuration::from_millis(400);

/// Requests of one investigation, further pages among them. What a world may cost is written here once more.
const MAX_REQUESTS: usize = 40;

/// A function in a VPC whose rotation fails in setSecret, as `run` says.
fn failing(run: &str, rest: &str) -> String {
    format!(
        "title = \"t\"\nstory = \"s\"\n[[secret]]\nname = \"prod/orders-db\"\n\
         [[function]]\nname = \"orders-postgres-rotator\"\ntimeout = 60\n\
         vpc = {{ subnets = [\"subnet-0fa\", \"subnet-0fb\"], security_groups = [\"sg-0f\"] }}\n\
         [[rotation]]\nat = \"-3h\"\noutcome = \"failed\"\nstep = \"setSecret\"\n{run}\n{rest}"
    )
}

const HANGS: &str = "run.ends = \"timeout\"\nrun.lines = [\"INFO Found credentials in environment variables.\"]";

fn healthy(rest: &str) -> String {
    format!(
        "title = \"t\"\nstory = \"s\"\n[[secret]]\nname = \"prod/orders-db\"\n[[function]]\nname = \"orders-postgres-rotator\"\n\
         vpc = {{ subnets = [\"subnet-0fa\", \"subnet-0fb\"], security_groups = [\"sg-0f\"] }}\n{rest}"
    )
}

/// A connection to Secrets Manager that did not open.
const UNREACHED: &str = "run.exception = \"ConnectTimeoutError: Connect timeout on endpoint URL: \\\"https://secretsmanager.eu-west-1.amazonaws.com/\\\"\"";

/// A database in another VPC that did not answer.
const FAR_AWAY: &str = "run.exception = \"psycopg2.OperationalError: connection to server at \\\"orders.c9abcdefghij.eu-west-1.rds.amazonaws.com\\\" (10.1.1.5), port 5432 failed: Connection timed out\"";

const ORDERS: &str = "[[database]]\nid = \"orders\"\nsubnets = [\"subnet-0d\"]\ngroups = [\"sg-0d\"]\n\
                      [[security_group]]\nid = \"sg-0d\"\nin = [\"tcp 5432 sg-0f\", \"tcp 5432 10.9.0.0/16\"]\n";

struct World {
    simulator: Simulator,
    aws: Aws,
    clock: Clock,
}

impl World {
    async fn of(scenario: &str) -> World {
        let scenario = Scenario::parse(scenario).unwrap_or_else(|error| panic!("{error}\n{scenario}"));
        let now = NOW.parse().unwrap();
        let simulator = Simulator::start(scenario, now).unwrap();
        let options = AwsOptions::simulated("eu-west-1".parse().unwrap(), simulator.endpoint_url());
        let aws = Aws::connect(&options, &Registry::default()).await.unwrap();
        World { simulator, aws, clock: Clock::starting_at(now) }
    }

    async fn perform(&self, options: Options) -> Investigation {
        let options = Options { step_deadline: PATIENCE, total_deadline: PATIENCE, ..options };
        let investigation = investigate(&self.aws, &self.clock, &options, &()).await;
        assert!(self.simulator.violations().is_empty(), "{:?}", self.simulator.violations());
        investigation
    }

    async fn look(&self) -> Investigation {
        self.perform(Options::new("prod/orders-db".parse().unwrap())).await
    }

    /// What EC2 and RDS were asked, in order.
    fn asked(&self) -> Vec<String> {
        let calls = self.simulator.calls().into_iter();
        calls.filter(|call| ["ec2", "rds"].contains(&call.service)).map(|call| call.operation).collect()
    }

    fn asked_sorted(&self) -> Vec<String> {
        let mut asked = self.asked();
        asked.sort();
        asked
    }
}

async fn network_of(scenario: &str) -> Network {
    World::of(scenario).await.look().await.evidence.network
}

fn found<T>(seen: &Observation<Vec<T>>) -> &[T] {
    match seen {
        Observation::Found(all) => all,
        other => panic!("{}", other.status()),
    }
}

fn database(network: &Network) -> &TargetDatabase {
    found(&network.databases).first().unwrap()
}

const PATHS: [&str; 4] = ["DescribeNetworkAcls", "DescribeRouteTables", "DescribeSecurityGroups", "DescribeSubnets"];

#[tokio::test(flavor = "multi_thread")]
async fn a_hang_at_the_database_asks_for_the_paths_and_the_database_and_nothing_else() {
    let world = World::of(&failing(HANGS, ORDERS)).await;
    let investigation = world.look().await;
    let expected: Vec<&str> = [&["DescribeDBInstances"], PATHS.as_slice()].concat();
    assert_eq!(world.asked_sorted(), expected);
    let evidence = &investigation.evidence;
    assert_eq!(investigation.api_calls, world.simulator.calls().len(), "every call is counted");
    let of_step = |step: usize| evidence.steps()[step - 1].calls.iter().map(|call| call.call.as_str()).collect::<Vec<_>>();
    assert!(of_step(3).contains(&"ec2:DescribeSubnets") && of_step(8).contains(&"rds:DescribeDBInstances"));
    assert!(evidence.access.summary.ends_with("; network: database orders available"), "{}", evidence.access.summary);
    assert!(evidence.function.summary.contains("; network: "), "{}", evidence.function.summary);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ec2_and_rds_say_becomes_facts_whatever_the_size_of_their_pages() {
    let declared = format!(
        "{ORDERS}[[vpc_endpoint]]\nid = \"vpce-0s\"\nsubnets = [\"subnet-0fa\"]\ngroups = [\"sg-0e\"]\n\
         policy = {{ principal = \"*\", deny = [\"secretsmanager:*\"] }}\n\
         [[vpc_endpoint]]\nid = \"vpce-0g\"\nservice = \"s3\"\ngateway = true\n\
         [[route_table]]\nid = \"rtb-0m\"\nmain = true\nroutes = [\"0.0.0.0/0 nat-0n\", \"10.7.0.0/16 tgw-0t blackhole\"]\n\
         [[nat_gateway]]\nid = \"nat-0n\"\nstate = \"failed\"\nfailure = \"no gateway\"\n\
         [[network_acl]]\nid = \"acl-0a\"\nsubnets = [\"subnet-0d\"]\nentries = [\"90 in deny tcp 5432 10.0.0.0/16\"]\n\
         [[subnet]]\nid = \"subnet-0fa\"\nfree = 3\nzone = \"c\"\n"
    );
    let whole = network_of(&healthy(&declared)).await;
    let paged = network_of(&healthy(&format!("{declared}[pages]\nnetwork = 1\ndatabases = 1\n"))).await;
    assert_eq!(whole, paged);

    let groups = found(&whole.security_groups);
    let of_database = groups.iter().find(|group| group.id == "sg-0d").unwrap();
    let peers: Vec<String> = of_database
        .ingress
        .iter()
        .map(|rule| match &rule.peer {
            GroupPeer::Group { id, .. } => id.clone(),
            GroupPeer::Range(range) => range.to_string(),
            GroupPeer::PrefixList(id) => id.clone(),
        })
        .collect();
    assert_eq!(peers, ["sg-0f", "10.9.0.0/16"]);
    assert_eq!(of_database.ingress[0].ports.unwrap().to_string(), "5432");
    assert_eq!(of_database.egress[0].ports, None);
    let subnet = found(&whole.subnets).iter().find(|subnet| subnet.id == "subnet-0fa").unwrap();
    assert_eq!((subnet.free_addresses, subnet.zone.as_str()), (3, "eu-west-1c"));
    let table = &found(&whole.route_tables)[0];
    assert!(table.is_main);
    let routes: Vec<String> = table
        .routes
        .iter()
        .map(|route| {
            let RouteDestination::Range(to) = route.destination else { panic!("{route:?}") };
            format!("{to} {}{}", route.target.id(), if route.is_blackhole { " gone" } else { "" })
        })
        .collect();
    assert_eq!(routes, ["10.0.0.0/16 local", "0.0.0.0/0 nat-0n", "10.7.0.0/16 tgw-0t gone"]);
    assert_eq!(table.routes[0].target, RouteTarget::Local);
    let gateway = &found(&whole.nat_gateways)[0];
    assert_eq!((gateway.state.as_str(), gateway.failure.as_deref(), gateway.is_public), ("failed", Some("no gateway"), true));
    let acl = found(&whole.network_acls).iter().find(|acl| acl.id == "acl-0a").unwrap();
    assert_eq!(acl.subnet_ids, ["subnet-0d"]);
    let entries: Vec<(u32, bool, bool)> =
        acl.entries.iter().map(|entry| (entry.number, entry.is_egress, entry.is_allow)).collect();
    assert_eq!(entries, [(90, false, false), (32767, false, false), (32767, true, false)]);
    let endpoint = found(&whole.endpoints).iter().find(|endpoint| endpoint.id == "vpce-0s").unwrap();
    assert_eq!(endpoint.service, "com.amazonaws.eu-west-1.secretsmanager");
    assert_eq!((endpoint.kind, endpoint.private_dns, endpoint.state.as_str()), (EndpointKind::Interface, true, "available"));
    assert_eq!(
        (endpoint.subnet_ids.as_slice(), endpoint.security_group_ids.as_slice()),
        (&["subnet-0fa".to_owned()][..], &["sg-0e".to_owned()][..])
    );
    assert_eq!(endpoint.policy.as_ref().unwrap()["Statement"][0]["Effect"], "Deny");
    assert!(found(&whole.endpoints).iter().any(|endpoint| endpoint.kind == EndpointKind::Gateway));
    let vpc = &found(&whole.vpcs)[0];
    assert_eq!((vpc.id.as_str(), vpc.ranges[0].to_string().as_str()), ("vpc-0a1b2c3d", "10.0.0.0/16"));
    let orders = database(&whole);
    assert_eq!(
        (orders.kind, orders.id.as_str(), orders.port, orders.status.as_deref()),
        (DatabaseKind::Instance, "orders", Some(5432), Some("available"))
    );
    assert_eq!((orders.vpc_id.as_deref(), orders.subnet_ids.as_slice()), (Some("vpc-0a1b2c3d"), &["subnet-0d".to_owned()][..]));
    assert!(orders.host.as_deref().unwrap().starts_with("orders."));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_healthy_secret_in_a_vpc_is_looked_at_for_its_forecast_within_eight_calls() {
    let world = World::of(&healthy(ORDERS)).await;
    world.look().await;
    let asked = world.asked_sorted();
    let expected: Vec<&str> =
        [&["DescribeDBInstances", "DescribeNatGateways"], PATHS.as_slice(), &["DescribeVpcEndpoints"]].concat();
    assert_eq!(asked.iter().map(String::as_str).collect::<BTreeSet<_>>(), expected.into_iter().collect());
    assert!(asked.len() <= 8, "{asked:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_asked_where_the_cause_is_known_or_there_is_no_vpc() {
    let denied = "run.denied = \"secretsmanager:PutSecretValue\"\n";
    let known = World::of(&failing(denied, ORDERS).replace("setSecret", "createSecret")).await;
    let investigation = known.look().await;
    assert_eq!(investigation.diagnosis.root_cause().map(|root| root.cause.id()), Some("iam_identity_policy_missing"));
    assert_eq!(known.asked(), [""; 0]);
    let outside = World::of("title = \"t\"\nstory = \"s\"\n[[secret]]\nname = \"prod/orders-db\"\n").await;
    outside.look().await;
    assert_eq!(outside.asked(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_is_not_reached_is_asked_about_with_the_vpcs_attributes() {
    let declared = "[[vpc]]\nid = \"vpc-0a1b2c3d\"\ndns_hostnames = false\n";
    let in_create = |run: &str, rest: &str| failing(run, rest).replace("setSecret", "createSecret");
    let world = World::of(&in_create(UNREACHED, declared)).await;
    let network = world.look().await.evidence.network;
    let expected = |beside: &[&str]| -> Vec<String> {
        let all = [&["DescribeNatGateways", "DescribeVpcEndpoints"], PATHS.as_slice(), beside].concat();
        let mut all: Vec<String> = all.into_iter().map(str::to_owned).collect();
        all.sort();
        all
    };
    // That a connection was tried shows that names are resolved.
    assert_eq!(world.asked_sorted(), expected(&["DescribeVpcAttribute", "DescribeDBInstances"]));
    let vpc = &found(&network.vpcs)[0];
    assert_eq!((vpc.dns_support, vpc.dns_hostnames), (None, Some(false)));
    assert_eq!(network.databases.status(), "no_data");

    // Of a hang nothing is known, and the database does not fit in any more, which is said.
    let closed = "[[security_group]]\nid = \"sg-0f\"\nout = [\"tcp 1521 10.0.0.0/16\"]\n";
    let silent = World::of(&in_create(HANGS, &format!("{declared}{ORDERS}{closed}"))).await;
    let investigation = silent.look().await;
    assert_eq!(silent.asked_sorted(), expected(&["DescribeVpcAttribute", "DescribeVpcAttribute"]));
    let vpc = &found(&investigation.evidence.network.vpcs)[0];
    assert_eq!((vpc.dns_support, vpc.dns_hostnames), (Some(true), Some(false)));
    assert_eq!(investigation.diagnosis.root_cause().map(|root| root.cause.id()), Some("aws_endpoint_unreachable"));
    let plan = &investigation.diagnosis.plan;
    let not_asked =
        "whether the function reaches its database: RDS was not asked, as a look at the network makes at most 8 calls to AWS";
    assert!(plan.heals.is_none() && plan.doubts.iter().any(|doubt| doubt == not_asked), "{plan:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_is_looked_at_together_with_the_way_to_an_endpoint_that_is_closed() {
    let closed = format!("{ORDERS}[[security_group]]\nid = \"sg-0f\"\nout = [\"tcp 1521 10.0.0.0/16\"]\n");
    let world = World::of(&failing(UNREACHED, &closed).replace("setSecret", "createSecret")).await;
    let investigation = world.look().await;
    let network = &investigation.evidence.network;
    assert_eq!(database(network).id, "orders");
    assert_eq!(found(&network.vpcs)[0].dns_hostnames, Some(true));
    let times = |operation: &str| world.asked().iter().filter(|asked| *asked == operation).count();
    assert_eq!((times("DescribeDBInstances"), times("DescribeSubnets")), (1, 1));
    let plan = &investigation.diagnosis.plan;
    assert!(plan.steps.iter().any(|step| step.command.contains("FromPort=443")), "{plan:#?}");
    // Which database it is was guessed: no command for it, and no promise without it.
    assert!(plan.heals.is_none() && plan.doubts.iter().any(|doubt| doubt.contains("TCP port 5432")), "{plan:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_permission_costs_its_facts_alone_and_is_named_where_it_belongs() {
    let without = |deny: &str| format!("{}[caller]\ndeny = [\"{deny}\"]\n", failing(HANGS, ORDERS));
    let named = |investigation: &Investigation, step: usize| -> Vec<String> {
        investigation.evidence.steps()[step - 1].denials.iter().map(|denial| denial.action.clone()).collect()
    };
    let no_ec2 = World::of(&without("ec2:*")).await.look().await;
    let network = &no_ec2.evidence.network;
    assert_eq!(database(network).id, "orders");
    assert_eq!((network.security_groups.status(), network.vpcs.status()), ("denied", "denied"));
    assert_eq!(named(&no_ec2, 3).len(), 4, "{:?}", named(&no_ec2, 3));
    assert_eq!(no_ec2.evidence.function.observation.status(), "found");
    assert_eq!(no_ec2.diagnosis.root_cause().map(|root| root.cause.id()), Some("db_network_unreachable"));

    let no_rds = World::of(&without("rds:*")).await.look().await;
    assert_eq!(no_rds.evidence.network.databases.status(), "denied");
    assert_eq!(named(&no_rds, 8), ["rds:DescribeDBInstances"]);
    assert!(!found(&no_rds.evidence.network.security_groups).is_empty());

    let one = World::of(&without("ec2:DescribeRouteTables")).await.look().await;
    assert_eq!(named(&one, 3), ["ec2:DescribeRouteTables"]);
    assert_eq!(one.evidence.network.route_tables.status(), "denied");
    assert!(!found(&one.evidence.network.subnets).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_of_one_call_is_an_observation_of_its_own() {
    for (fault, status) in [
        ("throttle = \"always\"", "throttled"),
        ("throttle = 1", "found"),
        ("fail = 500", "failed"),
        ("truncate_body = true", "failed"),
    ] {
        let faulty = format!("{}[[fault]]\noperation = \"ec2:DescribeSubnets\"\n{fault}\n", failing(HANGS, ORDERS));
        let network = network_of(&faulty).await;
        assert_eq!(network.subnets.status(), status, "{fault}");
        assert!(!found(&network.security_groups).is_empty(), "{fault}");
    }
}

/// How a database was found, and which.
async fn chosen(scenario: &str, configured: Option<&str>) -> (DatabaseChoice, Vec<String>) {
    let world = World::of(scenario).await;
    let options = Options::new("prod/orders-db".parse().unwrap());
    let database: Option<DatabaseRef> = configured.map(|text| text.parse().unwrap());
    let investigation = world.perform(Options { database, ..options }).await;
    let databases = found(&investigation.evidence.network.databases);
    assert!(world.asked().len() <= 8, "{:?}", world.asked());
    (databases[0].found_by, databases.iter().map(|database| database.id.clone()).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_is_found_by_the_first_way_that_answers() {
    let more = format!(
        "{ORDERS}[[database]]\nid = \"archive\"\n[[database]]\nid = \"billing\"\nengine = \"aurora-postgresql\"\nkind = \"cluster\"\n\
         [[database]]\nid = \"shop\"\nengine = \"mysql\"\n"
    );
    let names = |all: &[&str]| all.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();

    // A guess: those of the template's engine, the one whose name is most like the secret's first.
    let (by, ids) = chosen(&failing(HANGS, &more), None).await;
    assert_eq!((by, ids[0].as_str()), (DatabaseChoice::SameEngine, "orders"));
    assert_eq!(ids.iter().cloned().collect::<BTreeSet<_>>(), names(&["orders", "archive", "billing"]).into_iter().collect());

    let revoked = "[[change]]\nevent = \"RevokeSecurityGroupIngress\"\nat = \"-190m\"\nby = \"pete\"\n\
                   parameters = { groupId = \"sg-0arch\", ipPermissions = { items = [{ ipProtocol = \"tcp\", fromPort = 5432, toPort = 5432, groups = { items = [{ groupId = \"sg-0f\" }] } }] } }\n";
    let with_group = more.replace("id = \"archive\"", "id = \"archive\"\ngroups = [\"sg-0arch\"]");
    assert_eq!(
        chosen(&failing(HANGS, &format!("{with_group}{revoked}")), None).await,
        (DatabaseChoice::ChangedGroup, names(&["archive"]))
    );

    let line = "run.exception = \"psycopg2.OperationalError: connection to server at \\\"billing.cluster-c9abcdefghij.eu-west-1.rds.amazonaws.com\\\" (10.0.6.5), port 5432 failed: Connection timed out\"";
    assert_eq!(chosen(&failing(line, &more), None).await, (DatabaseChoice::Logged, names(&["billing"])));

    let tagged = failing(line, &more).replace(
        "name = \"prod/orders-db\"\n",
        "name = \"prod/orders-db\"\ntags = { DBInstance = \"archive\", team = \"orders\" }\n",
    );
    assert_eq!(chosen(&tagged, None).await, (DatabaseChoice::Tagged, names(&["archive"])));

    assert_eq!(chosen(&tagged, Some("billing")).await, (DatabaseChoice::Configured, names(&["billing"])));
    let host = "db.example.internal:5433";
    assert_eq!(chosen(&tagged, Some(host)).await, (DatabaseChoice::Configured, names(&["db.example.internal"])));

    // What is not there does not answer.
    assert_eq!(chosen(&tagged, Some("gone")).await, (DatabaseChoice::Tagged, names(&["archive"])));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_rds_manages_leads_to_its_owner_and_the_state_of_its_secret() {
    let scenario = "title = \"t\"\nstory = \"s\"\n[[secret]]\nname = \"rds!db-1\"\nowning_service = \"rds\"\nrotation = { every_days = 7 }\n\
                    [[rotation]]\nat = \"-2h\"\noutcome = \"failed\"\nmessage = \"RDS could not rotate the secret.\"\n\
                    [[database]]\nid = \"orders\"\nowns = \"rds!db-1\"\nsecret_status = \"impaired\"\n[[database]]\nid = \"other\"\n";
    let world = World::of(scenario).await;
    let evidence = world.perform(Options::new("rds!db-1".parse().unwrap())).await.evidence;
    let orders = database(&evidence.network);
    assert_eq!((orders.found_by, orders.id.as_str()), (DatabaseChoice::Owner, "orders"));
    assert_eq!(orders.master_secret.as_ref().unwrap().status, "impaired");
    assert_eq!(world.asked_sorted(), ["DescribeDBClusters", "DescribeDBInstances"]);
}

const PEERED: &str = "[[vpc]]\nid = \"vpc-0a1b2c3d\"\n[[vpc]]\nid = \"vpc-0far\"\ncidr = \"10.1.0.0/16\"\n\
                      [[peering]]\nid = \"pcx-0p\"\nfrom = \"vpc-0a1b2c3d\"\nto = \"vpc-0far\"\n\
                      [[route_table]]\nid = \"rtb-0m\"\nmain = true\nroutes = [\"10.1.0.0/16 pcx-0p\"]\n\
                      [[route_table]]\nid = \"rtb-0far\"\nvpc = \"vpc-0far\"\nmain = true\nroutes = [\"10.0.0.0/16 pcx-0p\"]\n\
                      [[database]]\nid = \"orders\"\nvpc = \"vpc-0far\"\ngroups = [\"sg-0d\"]\n\
                      [[security_group]]\nid = \"sg-0d\"\nvpc = \"vpc-0far\"\nin = [\"tcp 5432 sg-0f over pcx-0p\"]\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_database_in_a_peered_vpc_costs_a_second_round_within_the_same_budget() {
    let world = World::of(&failing(FAR_AWAY, PEERED)).await;
    let network = world.look().await.evidence.network;
    assert!(world.asked().len() <= 8, "{:?}", world.asked());
    let rule = &found(&network.security_groups).iter().find(|group| group.id == "sg-0d").unwrap().ingress[0];
    let GroupPeer::Group { id, vpc_id, peering_id, peering_status, .. } = &rule.peer else { panic!("{rule:?}") };
    assert_eq!(
        (id.as_str(), vpc_id.as_deref(), peering_id.as_deref(), peering_status.as_deref()),
        ("sg-0f", Some("vpc-0a1b2c3d"), Some("pcx-0p"), Some("active"))
    );
    assert_eq!(found(&network.peerings)[0].accepter.vpc_id, "vpc-0far");
    let vpcs: Vec<&str> = found(&network.vpcs).iter().map(|vpc| vpc.id.as_str()).collect();
    assert_eq!(vpcs, ["vpc-0a1b2c3d", "vpc-0far"]);
    assert!(found(&network.route_tables).iter().any(|table| table.id == "rtb-0far"));
}

/// Behind a transit gateway; `of_gateway` says more of it.
fn behind_transit(of_gateway: &str) -> String {
    format!(
        "[[vpc]]\nid = \"vpc-0a1b2c3d\"\n[[vpc]]\nid = \"vpc-0far\"\ncidr = \"10.1.0.0/16\"\n\
         [[transit_attachment]]\nid = \"tgw-attach-0a\"\ngateway = \"tgw-0t\"\n{of_gateway}\
         [[transit_attachment]]\nid = \"tgw-attach-0b\"\ngateway = \"tgw-0t\"\nvpc = \"vpc-0far\"\n{of_gateway}\
         [[route_table]]\nid = \"rtb-0m\"\nmain = true\nroutes = [\"10.1.0.0/16 tgw-0t\"]\n\
         [[route_table]]\nid = \"rtb-0far\"\nvpc = \"vpc-0far\"\nmain = true\nroutes = [\"10.0.0.0/16 tgw-0t\"]\n\
         [[database]]\nid = \"orders\"\nvpc = \"vpc-0far\"\ngroups = [\"sg-0d\"]\n\
         [[security_group]]\nid = \"sg-0d\"\nvpc = \"vpc-0far\"\nin = [\"tcp 5432 10.0.0.0/16\"]\n"
    )
}

const ANOTHER_ACCOUNT: &str = "gateway_account = \"999988887777\"\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_transit_gateway_is_asked_about_where_it_alone_is_open_and_its_routes_where_it_is_the_accounts_own() {
    let own = World::of(&failing(FAR_AWAY, &behind_transit(""))).await;
    let network = own.look().await.evidence.network;
    let of_gateways = |world: &World| -> Vec<String> {
        world.asked_sorted().into_iter().filter(|call| call.contains("TransitGateway")).collect()
    };
    let expected = ["DescribeTransitGatewayAttachments", "DescribeTransitGatewayVpcAttachments", "SearchTransitGatewayRoutes"];
    assert_eq!(of_gateways(&own), expected, "both attachments have one table");
    assert!(own.asked().len() <= 8 + 3, "{:?}", own.asked());
    let [table] = found(&network.transit_tables) else { panic!("{:?}", network.transit_tables) };
    let routes: Vec<String> =
        found(&table.routes).iter().map(|route| format!("{} {}", route.destination, route.to[0].resource_id)).collect();
    assert_eq!(routes, ["10.0.0.0/16 vpc-0a1b2c3d", "10.1.0.0/16 vpc-0far"]);
    assert!(found(&network.transit_associations).iter().all(|one| one.table_id.as_ref() == Some(&table.id)));

    let foreign = World::of(&failing(FAR_AWAY, &behind_transit(ANOTHER_ACCOUNT))).await;
    let network = foreign.look().await.evidence.network;
    assert_eq!(of_gateways(&foreign), expected[..2], "nobody else reads its tables");
    assert_eq!(network.transit_tables.status(), "not_applicable");

    // Where the database's group is the cause, the gateway is not asked how it is attached.
    let closed = behind_transit("").replace("in = [\"tcp 5432 10.0.0.0/16\"]", "in = []");
    let known = World::of(&failing(FAR_AWAY, &closed)).await;
    assert_eq!(known.look().await.diagnosis.root_cause().map(|root| root.cause.id()), Some("db_network_unreachable"));
    assert_eq!(of_gateways(&known), ["DescribeTransitGatewayAttachments"]);

    // A route that leads there does not make it the way: this database stands in the function's VPC.
    let beside = format!("{ORDERS}[[route_table]]\nid = \"rtb-0m\"\nmain = true\nroutes = [\"10.0.0.0/8 tgw-0t\"]\n");
    for scenario in [failing(HANGS, &beside), failing(HANGS, ORDERS)] {
        let none = World::of(&scenario).await;
        none.look().await;
        assert_eq!(of_gateways(&none), [""; 0]);
    }
}

/// What EC2 and RDS cost: calls, and rounds of them, each of which waited for an answer of the one before.
fn cost(investigation: &Investigation) -> (usize, usize) {
    let steps = investigation.evidence.steps();
    let of_network = steps.iter().flat_map(|step| step.calls.iter()).filter(|call| {
        let service = call.call.split(':').next();
        service == Some("ec2") || service == Some("rds")
    });
    let took = |ms: u64| SignedDuration::from_millis(i64::try_from(ms).unwrap());
    let mut calls: Vec<(Timestamp, Timestamp)> = of_network.map(|call| (call.at, call.at + took(call.duration_ms))).collect();
    calls.sort();
    let (mut rounds, mut answered) = (0, None::<Timestamp>);
    for (sent, ended) in &calls {
        match answered {
            Some(first) if *sent < first => answered = Some(first.min(*ended)),
            _ => (rounds, answered) = (rounds + 1, Some(*ended)),
        }
    }
    (calls.len(), rounds)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_look_keeps_to_its_calls_and_its_round_trips() {
    let in_create = |run: &str| failing(run, ORDERS).replace("setSecret", "createSecret");
    let unresolved = "run.exception = \"EndpointConnectionError: Could not connect to the endpoint URL: \\\"https://secretsmanager.eu-west-1.amazonaws.com/\\\" ([Errno -3] Temporary failure in name resolution)\"";
    let denied = failing("run.denied = \"secretsmanager:PutSecretValue\"\n", ORDERS).replace("setSecret", "createSecret");
    let by_list = "[[database]]\nid = \"orders\"\ngroups = [\"sg-0d\"]\n[[security_group]]\nid = \"sg-0d\"\nin = [\"tcp 5432 pl-0p\"]\n\
                   [[prefix_list]]\nid = \"pl-0p\"\nranges = [\"10.0.0.0/16\"]\n";
    let tagged = |tag: &str| {
        let tags = format!("name = \"prod/orders-db\"\ntags = {{ Database = \"{tag}\" }}\n");
        failing(HANGS, ORDERS).replace("name = \"prod/orders-db\"\n", &tags)
    };
    for (kind, scenario, expected) in [
        ("a cause that is known without it", denied, (0, 0)),
        ("a hang at the database", failing(HANGS, ORDERS), (5, 1)),
        ("a healthy secret", healthy(ORDERS), (7, 1)),
        ("a connection to Secrets Manager that does not open", in_create(UNREACHED), (8, 1)),
        ("a name that is not resolved", in_create(unresolved), (8, 1)),
        ("a hang before Secrets Manager answers", in_create(HANGS), (8, 1)),
        ("a database by an identifier of whatever kind", tagged("orders"), (6, 1)),
        ("an identifier that nothing has", tagged("gone"), (7, 2)),
        ("a prefix list in a rule", failing(HANGS, by_list), (6, 2)),
        ("a database in a peered VPC", failing(FAR_AWAY, PEERED), (8, 2)),
        ("a healthy secret with a way over a transit gateway", healthy(&behind_transit("")), (7, 1)),
        ("a transit gateway of the account", failing(FAR_AWAY, &behind_transit("")), (10, 3)),
        ("a transit gateway of another account", failing(FAR_AWAY, &behind_transit(ANOTHER_ACCOUNT)), (9, 3)),
    ] {
        let slow = |service: &str| format!("[[fault]]\noperation = \"{service}:*\"\nlatency_ms = {}\n", LATENCY.as_millis());
        let world = World::of(&format!("{scenario}\n{}{}", slow("ec2"), slow("rds"))).await;
        let investigation = world.look().await;
        assert_eq!(cost(&investigation), expected, "{kind}: {:?}", world.asked());
        assert_eq!(world.asked().len(), expected.0, "{kind}: {:?}", world.asked());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_account_is_so_large_that_it_costs_more_and_what_was_not_listed_is_named() {
    let many =
        |table: &str, id: &str| -> String { (0..60).map(|nth| format!("[[{table}]]\nid = \"{id}-0{nth:03x}\"\n")).collect() };
    let declared = [many("security_group", "sg"), many("subnet", "subnet"), many("database", "db")].concat();
    let world = World::of(&failing(HANGS, &format!("{declared}[pages]\nnetwork = 1\ndatabases = 1\n"))).await;
    let investigation = world.look().await;
    assert_eq!(world.asked().len(), MAX_REQUESTS, "{:?}", world.asked());
    let Network { security_groups, subnets, databases, .. } = &investigation.evidence.network;
    let missing = [security_groups.missing(), subnets.missing(), databases.missing()];
    assert!(missing.iter().all(Option::is_some), "{missing:?}");
    assert!(missing.iter().flatten().any(|why| why.ends_with("was not asked again: 40 requests had been sent")), "{missing:?}");
    assert_eq!(investigation.diagnosis.root_cause().map(|root| root.cause.id()), Some("db_network_unreachable"));
    assert_ne!(investigation.diagnosis.plan.heals, Some(true), "what was not seen proves nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_of_another_region_is_not_taken_for_a_database_that_only_has_its_identifier() {
    let elsewhere = FAR_AWAY.replace("eu-west-1.rds", "us-east-1.rds");
    let network = network_of(&failing(&elsewhere, ORDERS)).await;
    let database = database(&network);
    assert_eq!((database.kind, database.found_by), (DatabaseKind::Host, DatabaseChoice::Logged));
    assert_eq!(database.id, "orders.c9abcdefghij.us-east-1.rds.amazonaws.com");
    assert_eq!((database.port, database.address.map(|address| address.to_string())), (Some(5432), Some("10.1.1.5".to_owned())));
    let own = network_of(&failing(FAR_AWAY, ORDERS)).await;
    assert_eq!((self::database(&own).kind, self::database(&own).id.as_str()), (DatabaseKind::Instance, "orders"));
}

#[tokio::test(flavor = "multi_thread")]
async fn prefix_lists_that_rules_name_are_read() {
    let declared = "[[database]]\nid = \"orders\"\ngroups = [\"sg-0d\"]\n[[security_group]]\nid = \"sg-0d\"\nin = [\"tcp 5432 pl-0p\"]\n\
                    [[prefix_list]]\nid = \"pl-0p\"\nranges = [\"10.0.1.0/24\", \"10.0.2.0/24\"]\n";
    let network = network_of(&failing(HANGS, declared)).await;
    let list = &found(&network.prefix_lists)[0];
    assert_eq!(list.id, "pl-0p");
    assert_eq!(found(&list.ranges).iter().map(ToString::to_string).collect::<Vec<_>>(), ["10.0.1.0/24", "10.0.2.0/24"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_is_asked_of_the_parameter_group_only_where_it_is_the_question() {
    let line = "run.exception = \"psycopg2.OperationalError: connection to server at \\\"orders.c9abcdefghij.eu-west-1.rds.amazonaws.com\\\" (10.0.6.5), port 5432 failed: FATAL:  no pg_hba.conf entry for host \\\"10.0.7.21\\\", user \\\"app\\\", database \\\"orders\\\", no encryption\"";
    let declared = "[[database]]\nid = \"orders\"\nparameters = { \"rds.force_ssl\" = \"1\" }\n";
    let world = World::of(&failing(line, declared)).await;
    let network = world.look().await.evidence.network;
    assert_eq!(world.asked(), ["DescribeDBInstances", "DescribeDBParameters"]);
    let Observation::Found(tls) = &database(&network).tls else { panic!("{:?}", database(&network).tls) };
    assert!(tls.is_forced);
    assert_eq!((tls.parameter.as_str(), tls.parameter_group.as_deref()), ("rds.force_ssl", Some("orders-parameters")));
    let cluster = declared.replace("\"orders\"\n", "\"orders\"\nkind = \"cluster\"\nengine = \"aurora-postgresql\"\n");
    let world = World::of(&failing(&line.replace("orders.c9", "orders.cluster-c9"), &cluster)).await;
    let network = world.look().await.evidence.network;
    assert_eq!(world.asked().last().map(String::as_str), Some("DescribeDBClusterParameters"));
    assert!(matches!(&database(&network).tls, Observation::Found(tls) if tls.is_forced));
}

#[tokio::test(flavor = "multi_thread")]
async fn investigations_of_one_storm_share_the_answers_and_a_rerun_of_step_8_asks_again() {
    let two = healthy(ORDERS).replace("[[function]]", "[[secret]]\nname = \"prod/users-db\"\n[[function]]");
    let world = World::of(&two).await;
    let first = world.look().await;
    let asked = world.asked().len();
    world.perform(Options::new("prod/users-db".parse().unwrap())).await;
    assert_eq!(world.asked().len(), asked, "{:?}", world.asked());
    let again = world.perform(Options::rerun_step(first.evidence, StepName::SecretAccess)).await;
    assert_eq!(world.asked().len(), 2 * asked, "{:?}", world.asked());
    assert_eq!(again.evidence.access.summary.matches("; network: ").count(), 1, "{}", again.evidence.access.summary);
    let kept = world.perform(Options::rerun_step(again.evidence.clone(), StepName::FunctionLogs)).await;
    assert_eq!(kept.evidence.network, again.evidence.network);
    assert_eq!(world.asked().len(), 2 * asked);
}
