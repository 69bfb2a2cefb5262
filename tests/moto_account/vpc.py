"""A VPC as an engineer would set it up with boto3: two private subnets, a way out, a database."""

from .world import REGION


class Vpc:
    """`way_out` is `nat`, `endpoint`, `internet` (a public subnet) or `none`."""

    def __init__(self, world, way_out="nat", policy=None, private_dns=True):
        self.world, self.ec2, self.rds = world, world.client("ec2"), world.client("rds")
        world.network = self
        self.id = self.ec2.create_vpc(CidrBlock="10.20.0.0/16")["Vpc"]["VpcId"]
        for attribute in ("EnableDnsSupport", "EnableDnsHostnames"):
            self.ec2.modify_vpc_attribute(VpcId=self.id, **{attribute: {"Value": True}})
        self.subnets = [self.subnet(f"10.20.{n}.0/24", zone) for n, zone in ((1, "a"), (2, "b"))]
        self.function_group = self.group("function")
        if way_out == "nat":
            self.nat = self.ec2.create_nat_gateway(
                SubnetId=self.public(), AllocationId=self.ec2.allocate_address(Domain="vpc")["AllocationId"],
            )["NatGateway"]["NatGatewayId"]
            self.main_route(NatGatewayId=self.nat)
        if way_out == "internet":
            self.main_route(GatewayId=self.internet())
        if way_out == "endpoint":
            self.endpoint(policy=policy, private_dns=private_dns)

    def subnet(self, cidr, zone):
        return self.ec2.create_subnet(VpcId=self.id, CidrBlock=cidr, AvailabilityZone=f"{REGION}{zone}")["Subnet"]["SubnetId"]

    def internet(self):
        gateway = self.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        self.ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=self.id)
        return gateway

    def public(self):
        subnet = self.subnet("10.20.100.0/24", "a")
        table = self.ec2.create_route_table(VpcId=self.id)["RouteTable"]["RouteTableId"]
        self.ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=self.internet())
        self.ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
        return subnet

    def main_route(self, cidr="0.0.0.0/0", **target):
        main = self.ec2.describe_route_tables(Filters=[
            {"Name": "vpc-id", "Values": [self.id]}, {"Name": "association.main", "Values": ["true"]}])["RouteTables"][0]
        self.ec2.create_route(RouteTableId=main["RouteTableId"], DestinationCidrBlock=cidr, **target)

    def group(self, name, *rules):
        """A rule is a port with a group, or with a range."""
        group = self.ec2.create_security_group(GroupName=f"{self.world.function_name}-{name}"[:255], Description=name, VpcId=self.id)["GroupId"]
        for port, peer in rules:
            self.let_in(group, port, peer)
        return group

    def let_in(self, group, port, peer):
        whom = {"UserIdGroupPairs": [{"GroupId": peer}]} if peer.startswith("sg-") else {"IpRanges": [{"CidrIp": peer}]}
        self.ec2.authorize_security_group_ingress(
            GroupId=group, IpPermissions=[{"IpProtocol": "tcp", "FromPort": port, "ToPort": port, **whom}])

    def endpoint(self, policy=None, private_dns=True, groups=None):
        group = groups or [self.group("endpoint", (443, "10.20.0.0/16"))]
        self.endpoint_id = self.ec2.create_vpc_endpoint(
            VpcId=self.id, VpcEndpointType="Interface", ServiceName=f"com.amazonaws.{REGION}.secretsmanager",
            SubnetIds=self.subnets, SecurityGroupIds=group, PrivateDnsEnabled=private_dns,
            **({"PolicyDocument": policy} if policy else {}))["VpcEndpoint"]["VpcEndpointId"]

    def database(self, name="orders", port=5432, rules=None, engine="postgres", **more):
        """Lets the function's group in unless `rules` say otherwise."""
        rules = [(port, self.function_group)] if rules is None else rules
        self.database_group = self.group(f"database-{name}", *rules)
        self.database_subnets = [self.subnet(f"10.20.{n}.0/24", zone) for n, zone in ((11, "a"), (12, "b"))]
        self.rds.create_db_subnet_group(
            DBSubnetGroupName=f"{name}-subnets", DBSubnetGroupDescription="private", SubnetIds=self.database_subnets)
        created = self.rds.create_db_instance(
            DBInstanceIdentifier=name, DBInstanceClass="db.t4g.medium", Engine=engine, AllocatedStorage=20, MasterUsername="postgres",
            MasterUserPassword="not-a-real-one", DBSubnetGroupName=f"{name}-subnets", VpcSecurityGroupIds=[self.database_group],
            Port=port, **more)["DBInstance"]
        self.host = created["Endpoint"]["Address"]
        return self

    def acl(self, subnets, *entries):
        """Entries are `(number, egress, action, ports, range)`."""
        acl = self.ec2.create_network_acl(VpcId=self.id)["NetworkAcl"]["NetworkAclId"]
        for number, egress, action, ports, cidr in entries:
            self.ec2.create_network_acl_entry(
                NetworkAclId=acl, RuleNumber=number, Egress=egress, Protocol="6", RuleAction=action, CidrBlock=cidr,
                PortRange={"From": ports[0], "To": ports[1]})
        for present in self.ec2.describe_network_acls(Filters=[{"Name": "association.subnet-id", "Values": subnets}])["NetworkAcls"]:
            for association in present["Associations"]:
                if association["SubnetId"] in subnets:
                    self.ec2.replace_network_acl_association(
                        AssociationId=association["NetworkAclAssociationId"], NetworkAclId=acl)
        return acl

    def function(self, **settings):
        """A rotating secret whose function is in this VPC; moto makes up another VPC's id."""
        world = self.world
        world.role().secret().function(**settings)
        world.configured(VpcConfig={"SubnetIds": self.subnets, "SecurityGroupIds": [self.function_group], "VpcId": self.id})
        return world
