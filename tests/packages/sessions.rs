//! Who asked, as the account that is looked into records it.

use axum::Router;
use axum::extract::{RawForm, State};
use axum::response::IntoResponse;
use rotation_diag::aws::{AssumeRole, Aws, AwsOptions, ConnectError, Registry, SessionOwner};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;

type Asked = Arc<Mutex<Vec<BTreeMap<String, String>>>>;

/// STS, which notes what it is asked.
struct FakeSts {
    url: String,
    asked: Asked,
}

async fn answer(State(asked): State<Asked>, RawForm(body): RawForm) -> impl IntoResponse {
    let parameters: BTreeMap<String, String> = url::form_urlencoded::parse(&body).into_owned().collect();
    let refuses = parameters.get("ExternalId").is_none_or(|id| id != "an-id-nobody-guesses");
    asked.lock().unwrap().push(parameters);
    let (status, body) = if refuses {
        let error = "<Error><Type>Sender</Type><Code>AccessDenied</Code><Message>User: arn:aws:sts::111111111111:assumed-role/bot/x is not authorized to perform: sts:SetSourceIdentity on resource: arn:aws:iam::123456789012:role/reader</Message></Error>";
        (
            403,
            format!(
                "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">{error}<RequestId>1</RequestId></ErrorResponse>"
            ),
        )
    } else {
        let credentials = "<Credentials><AccessKeyId>ASIASIMULATED</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>";
        let user = "<AssumedRoleUser><AssumedRoleId>AROA:x</AssumedRoleId><Arn>arn:aws:sts::123456789012:assumed-role/reader/x</Arn></AssumedRoleUser>";
        (
            200,
            format!(
                "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult>{credentials}{user}</AssumeRoleResult></AssumeRoleResponse>"
            ),
        )
    };
    let status = axum::http::StatusCode::from_u16(status).unwrap();
    (status, [("content-type", "text/xml")], body)
}

impl FakeSts {
    async fn start() -> FakeSts {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Asked::default();
        let router = Router::new().fallback(answer).with_state(Arc::clone(&asked));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        FakeSts { url, asked }
    }

    async fn assume(&self, owner: Option<SessionOwner>, names_the_owner: bool, id: &str) -> Result<Aws, ConnectError> {
        let role_arn = "arn:aws:iam::123456789012:role/reader".to_owned();
        let role = AssumeRole { role_arn, external_id: Some(id.to_owned()), owner, names_the_owner };
        let options = AwsOptions { assume_role: Some(role), ..AwsOptions::simulated("eu-west-1".parse().unwrap(), &self.url) };
        Aws::connect(&options, &Registry::default()).await
    }

    fn last(&self, parameter: &str) -> Option<String> {
        self.asked.lock().unwrap().last().unwrap().get(parameter).cloned()
    }
}

const ID: &str = "an-id-nobody-guesses";

#[tokio::test]
async fn the_session_and_where_wanted_its_source_identity_name_who_asked() {
    let sts = FakeSts::start().await;
    let person = || Some(SessionOwner::person("slack", "U0123456789"));
    let aws = sts.assume(person(), true, ID).await.unwrap();
    assert_eq!(aws.account_id().map(|id| id.as_str()), Some("123456789012"));
    assert_eq!(sts.last("Action").as_deref(), Some("AssumeRole"));
    assert_eq!(sts.last("RoleSessionName").as_deref(), Some("rotation-diag-slack-U0123456789"));
    assert_eq!(sts.last("SourceIdentity").as_deref(), Some("slack-U0123456789"));
    assert_eq!(sts.last("ExternalId").as_deref(), Some(ID));

    sts.assume(person(), false, ID).await.unwrap();
    assert_eq!(sts.last("RoleSessionName").as_deref(), Some("rotation-diag-slack-U0123456789"));
    assert_eq!(sts.last("SourceIdentity"), None, "the trust policy need not allow it");

    sts.assume(None, true, ID).await.unwrap();
    let told = (sts.last("RoleSessionName"), sts.last("SourceIdentity"));
    assert_eq!(
        told,
        (Some("rotation-diag".to_owned()), Some("rotation-diag".to_owned())),
        "check finds what the trust policy lacks"
    );
}

#[tokio::test]
async fn a_trust_policy_that_lacks_the_source_identity_is_told_by_name() {
    let sts = FakeSts::start().await;
    let refused = sts.assume(Some(SessionOwner::alarm()), true, "another-id-altogether").await.unwrap_err();
    assert_eq!(sts.last("SourceIdentity").as_deref(), Some("alarm"));
    let told = refused.to_string();
    assert!(told.contains("role/reader could not be assumed (sts:SetSourceIdentity is not allowed)"), "{told}");
}
