//! The network's verdict, in three values: whether the function reaches an endpoint of AWS or a database.
//!
//! Every hop is asked on its own: the function's groups, its subnet's route table and network ACL, what the route leads over, the
//! other end's network ACL and groups, and the way of the answers. A hop lets the packets through, stops them, or was not seen; what
//! cannot be seen (an appliance, a partner's network, another account) is named and never guessed. A path is blocked where a hop
//! stops it, whatever was not seen of the others; it is reachable where all let it through.
//!
//! Which address an interface has in its subnet is not asked. The filters are therefore asked about all of them (`area`): what
//! holds for some only is unknown.
//!
//! Hop by hop IPv4 is judged, which a function in a VPC uses unless it is told otherwise; where it is, `ipv6` tells whether the
//! other family could get through.

mod area;
mod database;
mod filter;
mod ipv6;
mod path;
mod route;
mod service;
mod transit;
mod view;
mod walk;

pub use database::to_database;
pub use filter::Direction;
pub use path::{Hop, HopPlace, HopStanding, NetworkFault, NetworkPaths, OtherEnd, Path, Reachability};
pub use service::to_service;
pub(crate) use service::{endpoint_in_use, goes_public, to_dual_stack_host, to_public_host};

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
