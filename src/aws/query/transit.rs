//! What is asked of EC2 about transit gateways, and its answers.
//!
//! Source of all names: the service model of EC2, `2016-11-15`.

use super::xml::list;
use super::{Listing, QueryAction, QueryClient};
use crate::aws::Aws;
use crate::model::{RouteDestination, TransitAssociation, TransitAttachment, TransitEnd, TransitRoute};
use serde::Deserialize;

/// The attachments of VPCs to transit gateways.
pub(in crate::aws) struct DescribeTransitGatewayVpcAttachments;

impl QueryAction for DescribeTransitGatewayVpcAttachments {
    const ACTION: &'static str = "DescribeTransitGatewayVpcAttachments";
    const CALL: &'static str = "ec2:DescribeTransitGatewayVpcAttachments";
    type Answer = TransitAttachments;

    fn client(aws: &Aws) -> &QueryClient {
        &aws.ec2
    }
}

impl Listing for DescribeTransitGatewayVpcAttachments {
    type Item = TransitAttachment;

    fn page(answer: TransitAttachments) -> (Vec<TransitAttachment>, Option<String>) {
        (answer.attachments.into_iter().map(TransitAttachment::from).collect(), answer.next)
    }
}

#[derive(Debug, Deserialize)]
pub(in crate::aws) struct TransitAttachments {
    #[serde(rename = "transitGatewayVpcAttachments", deserialize_with = "list")]
    attachments: Vec<WireAttachment>,
    #[serde(rename = "nextToken")]
    next: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireAttachment {
    transit_gateway_attachment_id: String,
    transit_gateway_id: String,
    vpc_id: String,
    #[serde(default)]
    state: String,
    #[serde(default, deserialize_with = "list")]
    subnet_ids: Vec<String>,
    options: Option<WireAttachmentOptions>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireAttachmentOptions {
    security_group_referencing_support: Option<String>,
}

impl From<WireAttachment> for TransitAttachment {
    fn from(attachment: WireAttachment) -> TransitAttachment {
        let referencing = attachment.options.and_then(|options| options.security_group_referencing_support);
        TransitAttachment {
            id: attachment.transit_gateway_attachment_id,
            transit_gateway_id: attachment.transit_gateway_id,
            vpc_id: attachment.vpc_id,
            state: attachment.state,
            subnet_ids: attachment.subnet_ids,
            may_reference_groups: referencing.map(|referencing| referencing == "enable"),
        }
    }
}

/// The attachments of whatever kind, with the route table that serves each.
pub(in crate::aws) struct DescribeTransitGatewayAttachments;

impl QueryAction for DescribeTransitGatewayAttachments {
    const ACTION: &'static str = "DescribeTransitGatewayAttachments";
    const CALL: &'static str = "ec2:DescribeTransitGatewayAttachments";
    type Answer = TransitAssociations;

    fn client(aws: &Aws) -> &QueryClient {
        &aws.ec2
    }
}

impl Listing for DescribeTransitGatewayAttachments {
    type Item = TransitAssociation;

    fn page(answer: TransitAssociations) -> (Vec<TransitAssociation>, Option<String>) {
        let working = answer.attachments.into_iter().filter(WireAnyAttachment::works);
        (working.map(TransitAssociation::from).collect(), answer.next)
    }
}

#[derive(Debug, Deserialize)]
pub(in crate::aws) struct TransitAssociations {
    #[serde(rename = "transitGatewayAttachments", deserialize_with = "list")]
    attachments: Vec<WireAnyAttachment>,
    #[serde(rename = "nextToken")]
    next: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireAnyAttachment {
    transit_gateway_attachment_id: String,
    transit_gateway_id: String,
    transit_gateway_owner_id: Option<String>,
    resource_owner_id: Option<String>,
    #[serde(default)]
    resource_id: String,
    state: Option<String>,
    association: Option<WireTableAssociation>,
}

impl WireAnyAttachment {
    /// One that was deleted or never accepted stays in the list for a while, and has no table for that reason alone.
    fn works(&self) -> bool {
        self.state.as_deref().is_none_or(TransitAttachment::works_in)
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireTableAssociation {
    transit_gateway_route_table_id: Option<String>,
    state: Option<String>,
}

impl From<WireAnyAttachment> for TransitAssociation {
    fn from(attachment: WireAnyAttachment) -> TransitAssociation {
        let (table_id, state) =
            attachment.association.map(|one| (one.transit_gateway_route_table_id, one.state)).unwrap_or_default();
        let state = state.unwrap_or_default();
        TransitAssociation {
            attachment_id: attachment.transit_gateway_attachment_id,
            transit_gateway_id: attachment.transit_gateway_id,
            gateway_owner: attachment.transit_gateway_owner_id,
            resource_id: attachment.resource_id,
            resource_owner: attachment.resource_owner_id,
            table_id: table_id.filter(|id| !id.is_empty() && state == "associated"),
            is_changing: matches!(state.as_str(), "associating" | "disassociating"),
        }
    }
}

/// The routes of a transit gateway's table. EC2 names this call `Search…`; it only reads, and answers with one page that may be
/// cut short.
pub(in crate::aws) struct SearchTransitGatewayRoutes;

impl QueryAction for SearchTransitGatewayRoutes {
    const ACTION: &'static str = "SearchTransitGatewayRoutes";
    const CALL: &'static str = "ec2:SearchTransitGatewayRoutes";
    type Answer = TransitRoutes;

    fn client(aws: &Aws) -> &QueryClient {
        &aws.ec2
    }
}

/// The routes that packets take now, or that drop them.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::aws) struct TransitRoutes {
    #[serde(deserialize_with = "list")]
    route_set: Vec<WireTransitRoute>,
    #[serde(default)]
    additional_routes_available: bool,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireTransitRoute {
    destination_cidr_block: Option<String>,
    prefix_list_id: Option<String>,
    #[serde(default, deserialize_with = "list")]
    transit_gateway_attachments: Vec<WireTransitEnd>,
    state: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireTransitEnd {
    #[serde(default)]
    transit_gateway_attachment_id: String,
    #[serde(default)]
    resource_type: String,
    #[serde(default)]
    resource_id: String,
}

impl TransitRoutes {
    /// The routes; `None` where there are more than one page holds, as what is not listed would look as if it were not there.
    pub(in crate::aws) fn whole(self) -> Option<Vec<TransitRoute>> {
        (!self.additional_routes_available).then(|| self.route_set.into_iter().filter_map(transit_route_of).collect())
    }
}

fn transit_route_of(route: WireTransitRoute) -> Option<TransitRoute> {
    let destination = match (route.prefix_list_id, route.destination_cidr_block) {
        (Some(list), _) if !list.is_empty() => RouteDestination::PrefixList(list),
        (_, Some(range)) => RouteDestination::Range(range.parse().ok()?),
        _ => return None,
    };
    let to = route.transit_gateway_attachments.into_iter().map(|end| TransitEnd {
        attachment_id: end.transit_gateway_attachment_id,
        kind: end.resource_type,
        resource_id: end.resource_id,
    });
    let is_blackhole = route.state.as_deref() == Some("blackhole");
    Some(TransitRoute { destination, to: to.collect(), is_blackhole })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attachment_that_was_deleted_tells_of_no_association() {
        let attachment = |id: &str, state: &str| {
            format!(
                "<item><transitGatewayAttachmentId>{id}</transitGatewayAttachmentId><transitGatewayId>tgw-1</transitGatewayId>\
                 <resourceId>vpc-1</resourceId><state>{state}</state></item>"
            )
        };
        let all = ["deleted", "available", "pendingAcceptance", "modifying"].map(|state| attachment(state, state)).concat();
        let answer = format!(
            "<DescribeTransitGatewayAttachmentsResponse><transitGatewayAttachments>{all}</transitGatewayAttachments>\
             </DescribeTransitGatewayAttachmentsResponse>"
        );
        let (associations, _) = DescribeTransitGatewayAttachments::page(quick_xml::de::from_str(&answer).unwrap());
        let kept: Vec<&str> = associations.iter().map(|one| one.attachment_id.as_str()).collect();
        assert_eq!(kept, ["available", "modifying"]);
    }
}
