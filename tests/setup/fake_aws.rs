//! AWS: the simulated account, and beside it topics that can be subscribed to and confirmed.

use axum::Router;
use axum::extract::{RawForm, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use rotation_diag::clock::Clock;
use rotation_diag::simulator::{Scenario, Simulator};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

/// A subscription.
#[derive(Debug, Clone)]
pub(crate) struct Subscription {
    pub(crate) protocol: &'static str,
    pub(crate) endpoint: String,
    pub(crate) is_confirmed: bool,
    pub(crate) is_raw: bool,
    pub(crate) keeps_undelivered: bool,
    pub(crate) is_filtered: bool,
}

/// The one topic there may be.
#[derive(Debug, Clone)]
pub(crate) struct Topic {
    pub(crate) arn: String,
    pub(crate) signature_version: &'static str,
    pub(crate) key: Option<&'static str>,
    pub(crate) subscriptions: Vec<Subscription>,
}

impl Topic {
    /// As `deploy/alarms.yaml` makes it: a subscription that waits for its confirmation.
    pub(crate) fn deployed(arn: &str, endpoint: &str) -> Topic {
        let subscription = Subscription {
            protocol: "https",
            endpoint: endpoint.to_owned(),
            is_confirmed: false,
            is_raw: false,
            keeps_undelivered: true,
            is_filtered: false,
        };
        Topic { arn: arn.to_owned(), signature_version: "2", key: None, subscriptions: vec![subscription] }
    }

    /// The same, confirmed.
    pub(crate) fn confirmed(arn: &str, endpoint: &str) -> Topic {
        let mut topic = Topic::deployed(arn, endpoint);
        topic.subscriptions[0].is_confirmed = true;
        topic
    }
}

/// The token that confirms.
pub(crate) const TOKEN: &str = "2336412f37fb687f5d51e6e2425f004ac";

#[derive(Clone)]
pub(crate) struct FakeAws {
    pub(crate) account: Arc<Simulator>,
    pub(crate) topic: Arc<Mutex<Option<Topic>>>,
    sns: SocketAddr,
}

impl FakeAws {
    /// An account in which `prod/orders-db` does not rotate; `more` is added to it.
    pub(crate) async fn start(more: &str) -> FakeAws {
        let (_, text) = Scenario::embedded().find(|(name, _)| *name == "role_detached_policy").unwrap();
        let scenario = Scenario::parse(&format!("{text}\n{more}")).unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let fake = FakeAws {
            account: Arc::new(Simulator::start(scenario, Clock::system().now()).unwrap()),
            topic: Arc::default(),
            sns: listener.local_addr().unwrap(),
        };
        let routes = Router::new().fallback(answer).with_state(fake.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        fake
    }

    pub(crate) fn sns_url(&self) -> String {
        format!("http://{}", self.sns)
    }

    pub(crate) fn deploy(&self, topic: Topic) {
        *self.topic.lock().unwrap() = Some(topic);
    }
}

/// Source: SNS API reference; the query protocol, as botocore's model of SNS describes it.
async fn answer(State(fake): State<FakeAws>, RawForm(body): RawForm) -> Response {
    let parameters: Vec<(String, String)> = url::form_urlencoded::parse(&body).into_owned().collect();
    let get = |name: &str| parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str()).unwrap_or_default();
    let action = get("Action");
    let mut topic = fake.topic.lock().unwrap();
    let wanted = match get("SubscriptionArn") {
        "" => get("TopicArn"),
        arn => arn.rsplit_once(':').unwrap().0,
    };
    let Some(topic) = topic.as_mut().filter(|topic| topic.arn == wanted) else {
        let error = "<ErrorResponse><Error><Type>Sender</Type><Code>NotFound</Code><Message>Topic does not exist</Message></Error></ErrorResponse>";
        return (StatusCode::NOT_FOUND, [("content-type", "text/xml")], error).into_response();
    };
    let entry = |(name, value): (&str, &str)| format!("<entry><key>{name}</key><value>{value}</value></entry>");
    let result = match action {
        "GetTopicAttributes" => {
            // Source: SNS API reference: the attribute is absent while a topic signs with version 1.
            let version = Some(topic.signature_version).filter(|version| *version != "1");
            let version = version.map(|version| entry(("SignatureVersion", version)));
            let key = topic.key.map(|key| entry(("KmsMasterKeyId", key)));
            let entries: String = version.into_iter().chain(key).collect();
            format!("<Attributes>{}{entries}</Attributes>", entry(("TopicArn", &topic.arn)))
        }
        "ListSubscriptionsByTopic" => {
            let members = topic.subscriptions.iter().enumerate().map(|(number, one)| {
                let arn = if one.is_confirmed { format!("{}:{number}", topic.arn) } else { "PendingConfirmation".to_owned() };
                format!(
                    "<member><SubscriptionArn>{arn}</SubscriptionArn><Owner>123456789012</Owner><Protocol>{}</Protocol><Endpoint>{}</Endpoint><TopicArn>{}</TopicArn></member>",
                    one.protocol, one.endpoint, topic.arn
                )
            });
            format!("<Subscriptions>{}</Subscriptions>", members.collect::<String>())
        }
        "GetSubscriptionAttributes" => {
            let number: usize = get("SubscriptionArn").rsplit_once(':').unwrap().1.parse().unwrap();
            let one = &topic.subscriptions[number];
            let mut entries = entry(("RawMessageDelivery", if one.is_raw { "true" } else { "false" }));
            if one.is_filtered {
                entries.push_str(&entry(("FilterPolicy", "{&quot;kind&quot;:[&quot;a&quot;]}")));
            }
            if one.keeps_undelivered {
                let policy = "{\"deadLetterTargetArn\":\"arn:aws:sqs:eu-west-1:123456789012:undelivered\"}";
                entries.push_str(&entry(("RedrivePolicy", &policy.replace('"', "&quot;"))));
            }
            format!("<Attributes>{entries}</Attributes>")
        }
        "ConfirmSubscription" => {
            assert_eq!((get("Token"), get("AuthenticateOnUnsubscribe")), (TOKEN, "true"));
            topic.subscriptions[0].is_confirmed = true;
            format!("<SubscriptionArn>{}:0</SubscriptionArn>", topic.arn)
        }
        other => panic!("{other} is asked of SNS"),
    };
    let id = "<ResponseMetadata><RequestId>1</RequestId></ResponseMetadata>";
    let body = format!(
        "<{action}Response xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><{action}Result>{result}</{action}Result>{id}</{action}Response>"
    );
    ([("content-type", "text/xml")], body).into_response()
}
