//! The closed set of actions, and asking for one page by page.

use super::client::QueryClient;
use crate::aws::{Aws, AwsCaller, CacheKey};
use crate::model::Observation;
use serde::de::DeserializeOwned;

/// Pages of one list that are read at most.
const MAX_PAGES: usize = 20;

/// An action this program may ask for. They all only read; a test over the source says so.
pub(in crate::aws) trait QueryAction {
    /// Its name on the wire.
    const ACTION: &'static str;
    /// `service:Operation`, which is also the IAM action.
    const CALL: &'static str;
    /// The answer, or one page of it.
    type Answer: DeserializeOwned + Send;

    /// The client of the service that answers it.
    fn client(aws: &Aws) -> &QueryClient;
}

/// An action that answers with a list in pages.
pub(in crate::aws) trait Listing: QueryAction {
    type Item: Clone + Send + Sync + 'static;

    /// The items of a page, and what asks for the next.
    fn page(answer: Self::Answer) -> (Vec<Self::Item>, Option<String>);
}

/// What is asked for: parameters as the Query protocol writes them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct QueryInput(Vec<(String, String)>);

impl QueryInput {
    /// The things of one VPC.
    pub(crate) fn in_vpc(vpc_id: &str) -> QueryInput {
        QueryInput::default().filtered("vpc-id", &[vpc_id])
    }

    /// With one parameter more.
    #[must_use]
    pub(crate) fn with(mut self, name: &str, value: &str) -> QueryInput {
        self.0.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Those of EC2's things for which `name` has one of `values`.
    #[must_use]
    pub(crate) fn filtered(self, name: &str, values: &[&str]) -> QueryInput {
        let nth = self.filters();
        let named = self.with(&format!("Filter.{nth}.Name"), name);
        values.iter().enumerate().fold(named, |asked, (at, value)| asked.with(&format!("Filter.{nth}.Value.{}", at + 1), value))
    }

    /// Those of RDS's things for which `name` has one of `values`.
    #[must_use]
    pub(crate) fn selected(self, name: &str, values: &[&str]) -> QueryInput {
        let named = self.with("Filters.Filter.1.Name", name);
        let value = |at: usize| format!("Filters.Filter.1.Values.Value.{}", at + 1);
        values.iter().enumerate().fold(named, |asked, (at, text)| asked.with(&value(at), text))
    }

    /// The number of the next filter.
    fn filters(&self) -> usize {
        self.0.iter().filter(|(name, _)| name.starts_with("Filter.") && name.ends_with(".Name")).count() + 1
    }

    /// What it is called in the cache, and in a sentence about a refusal.
    fn text(&self) -> String {
        let pairs: Vec<String> = self.0.iter().map(|(name, value)| format!("{name}={value}")).collect();
        pairs.join("&")
    }
}

impl Aws {
    /// All items of a list, from every page; kept for a while, and asked once at a time. `resource` names what it is asked of,
    /// for people.
    pub(in crate::aws) async fn list<L: Listing>(
        &self,
        _: L,
        caller: &AwsCaller,
        resource: &str,
        asked: QueryInput,
    ) -> Observation<Vec<L::Item>> {
        let key = CacheKey::Listing { action: L::CALL, asked: asked.text() };
        let ask = pages::<L>(L::client(self), caller, resource, asked);
        self.shared().answers.get(key, caller.fresh(), ask).await
    }

    /// The answer to an action that has no pages.
    pub(in crate::aws) async fn ask<A: QueryAction>(
        &self,
        _: A,
        caller: &AwsCaller,
        resource: &str,
        asked: QueryInput,
    ) -> Observation<A::Answer>
    where
        A::Answer: Clone + Sync + 'static,
    {
        let key = CacheKey::Listing { action: A::CALL, asked: asked.text() };
        let ask = async { caller.call(A::CALL, resource, A::client(self).send(A::ACTION, &asked.0)).await };
        self.shared().answers.get(key, caller.fresh(), ask).await
    }
}

async fn pages<L: Listing>(
    client: &QueryClient,
    caller: &AwsCaller,
    resource: &str,
    asked: QueryInput,
) -> Observation<Vec<L::Item>> {
    let (mut items, mut token) = (Vec::new(), None::<String>);
    for _ in 0..MAX_PAGES {
        let mut parameters = asked.0.clone();
        parameters.extend(token.iter().map(|token| (client.page_parameter().to_owned(), token.clone())));
        let page = match caller.call(L::CALL, resource, client.send::<L::Answer>(L::ACTION, &parameters)).await {
            Observation::Found(page) => page,
            other => return other.map(|_| Vec::new()),
        };
        let (more, next) = L::page(page);
        items.extend(more);
        match next.filter(|next| !next.is_empty() && token.as_ref() != Some(next)) {
            Some(next) => token = Some(next),
            None => return Observation::Found(items),
        }
    }
    // A list cut short would make what is not in it look as if it were not there.
    Observation::Failed { error: format!("{} has more than {MAX_PAGES} pages", L::CALL) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_written_as_each_service_reads_them() {
        let asked = QueryInput::in_vpc("vpc-1").filtered("group-id", &["sg-1", "sg-2"]).with("MaxResults", "100");
        assert_eq!(
            asked.text(),
            "Filter.1.Name=vpc-id&Filter.1.Value.1=vpc-1&Filter.2.Name=group-id&Filter.2.Value.1=sg-1&\
             Filter.2.Value.2=sg-2&MaxResults=100"
        );
        let clusters = QueryInput::default().selected("db-cluster-id", &["orders"]);
        assert_eq!(clusters.text(), "Filters.Filter.1.Name=db-cluster-id&Filters.Filter.1.Values.Value.1=orders");
    }
}
