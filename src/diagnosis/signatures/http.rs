//! Targets behind an HTTP API.

use super::aws_api::is_of_aws;
use super::line::Line;
use super::network::unreachable_peer;
use super::signature::{LineSpecificity::*, Signature, depends, is};
use crate::model::Cause;

/// AWS's SDKs print a status code with every error; that is no answer of the target.
fn answered(line: &Line<'_>) -> Option<Cause> {
    (!is_of_aws(line)).then_some(Cause::TargetServiceError)
}

pub(super) const SIGNATURES: &[Signature] = &[
    // The target is AWS itself: keys and users that its own services hand out.
    is(Cause::TargetServiceError, NamedFault, &[
        r"when calling the (?:Create|Update|Delete|Get|List|Reset)(?:ApiKey|AccessKey|ServiceSpecificCredential|LoginProfile|UserPoolClient|SmtpCredential|SigningKey)s? operation",
        r"\(NotAuthorizedException\) when calling the (?:Admin)?InitiateAuth operation",
    ])
    .matches(&["botocore.errorfactory.NotFoundException: An error occurred (NotFoundException) when calling the UpdateApiKey operation: Invalid API Key identifier specified"])
    .ignores(&["[INFO] An error occurred (NoSuchEntity) when calling the DeleteAccessKey operation is ignored: it is gone"]),
    depends(unreachable_peer, NamedFault, &[
        r"Max retries exceeded with url",
        r"\b(?:requests|urllib3|httpx|aiohttp|http)\.\S*(?:Connect(?:ion)?|ReadTimeout|ConnectTimeout|NewConnection|MaxRetry|NameResolution|RemoteDisconnected|Proxy)\w*(?:Error)?\b",
        r"urlopen error|\bRemoteDisconnected\b|Remote end closed connection|\bfetch failed\b|UND_ERR_\w+",
        r"Client network socket disconnected|AxiosError: (?:timeout of|Network Error|connect)|timeout of \d+ms exceeded",
        r"Client\.Timeout exceeded|context deadline exceeded|net/http: (?:TLS handshake timeout|request canceled)",
        r"java\.net\.http\.HttpConnectTimeoutException|HttpTimeoutException|ResourceAccessException",
        r"The request was canceled due to the configured HttpClient\.Timeout",
    ])
    .matches(&[
        "requests.exceptions.ConnectionError: HTTPSConnectionPool(host='api.example.com', port=443): Max retries exceeded with url: /v1/keys (Caused by NewConnectionError('<urllib3.connection.HTTPSConnection object at 0x7f>: Failed to establish a new connection: [Errno 111] Connection refused'))",
        "urllib3.exceptions.MaxRetryError: HTTPSConnectionPool(host='secretsmanager.us-east-1.amazonaws.com', port=443): Max retries exceeded with url: /",
        "AxiosError: timeout of 5000ms exceeded (https://api.example.com)",
        "TypeError: fetch failed",
    ])
    .ignores(&["[INFO] max retries: 3"]),
    depends(answered, NamedFault, &[
        r"\b[45]\d\d (?:Client|Server) Error\b|(?:Client|Server) error '[45]\d\d [A-Z][^']*' for url",
        r"\bstatus ?code:? (?:of )?(?:is |was |=)?[45]\d\d\b|\bstatusCode\W{1,4}[45]\d\d\b|\bstatus_code=[45]\d\d\b",
        r"\bHTTP (?:Error|status|response|code)?:? ?(?:code )?[45]\d\d\b|HTTP/[12](?:\.\d)?\W{1,2} ?[45]\d\d\b",
        r"(?:responded|replied|failed|returned|answered|received|rejected)\b.{0,40}\b(?:with )?(?:status |HTTP |code |a )*(?:40[0-9]|41[0-9]|42[0-9]|50[0-9])\b",
        r"\((?:401|403|429|500|502|503|504)\)\s+(?:Reason: )?(?:Unauthorized|Forbidden|Too Many Requests|Internal Server Error|Bad Gateway|Service Unavailable|Gateway Timeout)",
        r"(?:Error|Exception|PermissionDenied|Unauthenticated): (?:40[0-9]|422|429|50[0-9])\b[: ]|Error code: (?:40[0-9]|422|429|50[0-9])\b",
        r"Response code:? \(?[45]\d\d\b|kind: Status\([45]\d\d\)",
        r"\b(?:Invalid|Expired|Revoked|Unknown) (?:API|access|auth|bearer|refresh) ?(?:key|token)\b|\bInvalid token provided\b|(?:(?:Error|Exception):|\b40[13]\b(?: -)?) Bad credentials\b",
        // The codes of OAuth 2.0, of Microsoft Entra and of Salesforce.
        r"\b(?:invalid_grant|invalid_client|unauthorized_client|insufficient_scope|invalid_refresh_token|token_revoked|invalid_api_key)\b|\bAADSTS\d{5,7}\b|\bAuthorization_RequestDenied\b|(?-i:\bINVALID_LOGIN: |\bINVALID_SESSION_ID\b)",
        r"\bstatus\W{1,3}(?:40[0-9]|422|429|50[0-4])\b|(?-i:\bAPI) error \W?\d{3,6}\b|request to the \w+ API failed",
        r"permission denied, on (?:get|put|post|patch|delete|list) http",
        r"\b(?:key|token)\b.{0,60}\bdoes not have (?:the )?(?:required|necessary|sufficient) (?:permission|scope|right)s?\b|Resource not accessible by \w",
        r"\brate limit exceeded\b|\bexceeded (?:the |your )?(?:API )?rate limit\b",
        r"\b(?:401|403|429|500|502|503|504)\b:? (?:Unauthorized|Forbidden|Too Many Requests|Internal Server Error|Bad Gateway|Service (?:Temporarily )?Unavailable|Gateway Time-?out)\b",
        r"\b[45]\d\d, message='|Net::HTTP\w+Exception: [45]\d\d|HttpClientErrorException|HttpServerErrorException|Response status code does not indicate success",
    ])
    .matches(&[
        "requests.exceptions.HTTPError: 401 Client Error: Unauthorized for url: https://api.example.com/v1/keys",
        "azure.core.exceptions.HttpResponseError: (Authorization_RequestDenied) Insufficient privileges to complete the operation.",
        "httpx.HTTPStatusError: Client error '404 Not Found' for url 'https://api.example.com/v2/keys/17'",
        "urllib.error.HTTPError: HTTP Error 503: Service Unavailable",
        "AxiosError: Request failed with status code 403",
        "[ERROR] vendor API returned 500 for POST /keys",
        "System.Net.Http.HttpRequestException: Response status code does not indicate success: 429 (Too Many Requests).",
        "javax.ws.rs.NotAuthorizedException: HTTP 401 Unauthorized",
        "datadog_api_client.exceptions.ForbiddenException: (403) Reason: Forbidden",
        "influxdb_client.rest.ApiException: (401)\nReason: Unauthorized\nHTTP response body: {\"code\":\"unauthorized\"}",
        "reqwest::Error { kind: Status(502), url: \"https://api.example.com/keys\" }",
        "stripe.error.AuthenticationError: Invalid API Key provided: ****1234",
        "[ERROR] AuthenticationError: Expired API Key provided: rk_live_****1234\nTraceback (most recent call last):",
        "HttpError: Resource not accessible by integration",
        "google.auth.exceptions.RefreshError: ('invalid_grant: Token has been expired or revoked.', {'error': 'invalid_grant'})",
        "[ERROR] createSecret: AADSTS7000222: The provided client secret keys for app '1' are expired.",
        "twilio: create key: Status: 401 - ApiError 20003: Authenticate (null)",
        "hvac.exceptions.Forbidden: permission denied, on put https://vault.internal:8200/v1/secret/data/app",
        "StripeRateLimitError: Request rate limit exceeded.",
        "google.api_core.exceptions.PermissionDenied: 403 Permission 'iam.serviceAccountKeys.create' denied",
        "github.GithubException.BadCredentialsException: 401 {\"message\": \"Bad credentials\"}",
    ])
    .ignores(&[
        "[INFO] vendor API returned 200",
        "[INFO] deleted 500 rows",
        "[INFO] HTTP status 201 Created",
        "[INFO] rate limit: 4998 of 5000 requests left",
        "[INFO] status: 204, grant type: client_credentials",
    ]),
];
