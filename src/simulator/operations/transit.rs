//! EC2's transit gateways.

use super::OperationResult;
use super::ec2::{is_own, listed, missing, network, one, owner};
use crate::simulator::network::{AttachmentForm, TransitTableForm};
use crate::simulator::wire::{Shape, WireError, WireRequest};
use crate::simulator::world::SimulatedAccount;

pub(super) fn describe_transit_gateway_vpc_attachments(world: &SimulatedAccount, request: &WireRequest) -> OperationResult {
    let all = network(world).attachments.iter().filter(|form| is_own(world, &form.vpc));
    listed(
        world,
        request,
        ("transitGatewayVpcAttachments", 1000),
        all,
        |form| {
            vec![
                ("vpc-id", one(&form.vpc)),
                ("transit-gateway-id", one(&form.gateway)),
                ("transit-gateway-attachment-id", one(&form.id)),
            ]
        },
        |form: &AttachmentForm| {
            Shape::structure()
                .with("transitGatewayAttachmentId", &form.id)
                .with("transitGatewayId", &form.gateway)
                .with("vpcId", &form.vpc)
                .with("state", &form.state)
                .with("subnetIds", Shape::list(&form.subnets))
                .with("options", Shape::structure().with("securityGroupReferencingSupport", "disable"))
        },
    )
}

fn gateway_owner<'w>(world: &'w SimulatedAccount, form: &'w AttachmentForm) -> &'w str {
    form.gateway_account.as_deref().unwrap_or(&world.account)
}

/// Those of the account's VPCs, and whatever is attached to its gateways.
pub(super) fn describe_transit_gateway_attachments(world: &SimulatedAccount, request: &WireRequest) -> OperationResult {
    let is_shown = |form: &&AttachmentForm| is_own(world, &form.vpc) || gateway_owner(world, form) == world.account;
    listed(
        world,
        request,
        ("transitGatewayAttachments", 1000),
        network(world).attachments.iter().filter(is_shown),
        |form| {
            vec![
                ("resource-id", one(&form.vpc)),
                ("transit-gateway-id", one(&form.gateway)),
                ("transit-gateway-attachment-id", one(&form.id)),
            ]
        },
        |form: &AttachmentForm| {
            // Only the gateway's account is told what serves an attachment.
            let is_told = gateway_owner(world, form) == world.account;
            let table = form.table.as_deref().filter(|id| is_told && !id.is_empty());
            let association =
                table.map(|id| Shape::structure().with("transitGatewayRouteTableId", id).with("state", "associated"));
            Shape::structure()
                .with("transitGatewayAttachmentId", &form.id)
                .with("transitGatewayId", &form.gateway)
                .with("transitGatewayOwnerId", gateway_owner(world, form))
                .with("resourceOwnerId", owner(world, &form.vpc))
                .with("resourceType", "vpc")
                .with("resourceId", &form.vpc)
                .with("state", &form.state)
                .with("association", association)
        },
    )
}

pub(super) fn search_transit_gateway_routes(world: &SimulatedAccount, request: &WireRequest) -> OperationResult {
    let id = missing(request, "TransitGatewayRouteTableId")?;
    let filters = request.parameters().numbered("Filter");
    if filters.is_empty() {
        return Err(WireError::new("MissingParameter", "Missing required parameter in request: Filters."));
    }
    let serves = |form: &&AttachmentForm| form.table.as_deref() == Some(id);
    let attachments = &network(world).attachments;
    let is_foreign = attachments.iter().filter(serves).any(|form| gateway_owner(world, form) != world.account);
    let table: &TransitTableForm =
        network(world).transit_tables.iter().find(|form| form.id == id && !is_foreign).ok_or_else(|| {
            WireError::new(
                "InvalidRouteTableID.NotFound",
                format!("Transit Gateway Route Table {id} was deleted or does not exist."),
            )
        })?;
    let state_of = |target: &str| if target == "blackhole" { "blackhole" } else { "active" };
    let routes = table.routes.iter().filter_map(|text| text.split_once(' ')).filter(|(_, target)| {
        let by_state = filters.iter().filter(|filter| filter.text("Name") == Some("state"));
        by_state.into_iter().all(|filter| filter.numbered_texts("Value").contains(&state_of(target)))
    });
    let routes = routes.map(|(destination, target)| {
        let end = attachments.iter().find(|form| form.id == target).map(|form| {
            Shape::structure()
                .with("resourceId", &form.vpc)
                .with("transitGatewayAttachmentId", &form.id)
                .with("resourceType", "vpc")
        });
        Shape::structure()
            .with("destinationCidrBlock", destination)
            .with("transitGatewayAttachments", Shape::list(end))
            .with("type", "static")
            .with("state", state_of(target))
    });
    Ok(Shape::structure().with("routeSet", Shape::list(routes)).with("additionalRoutesAvailable", false))
}
