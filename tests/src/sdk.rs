//! The unmodified AWS SDK for Rust with an HTTP client of this harness.

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use ureq::http::Request;

use crate::{World, wire};

/// The secret of the example access key of the documentation.
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

/// An HTTP client without TLS: that of the SDK needs a TLS library, which is not used here.
#[derive(Clone, Copy, Debug)]
struct Connection;

/// Creates a client of a service; the SDK of each service has its own configuration types with the same functions.
macro_rules! client {
    ($sdk:ident, $endpoint:expr, $access_key:expr, $secret:expr, $token:expr, $region:expr) => {{
        use $sdk::config::retry::RetryConfig;
        use $sdk::config::timeout::TimeoutConfig;
        use $sdk::config::{BehaviorVersion, Credentials, IdentityCache, Region, StalledStreamProtectionConfig};
        let config = $sdk::config::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .http_client(Connection)
            // Tests need no retries, and timeouts would require a timer of the SDK.
            .retry_config(RetryConfig::disabled())
            .identity_cache(IdentityCache::no_cache())
            .timeout_config(TimeoutConfig::disabled())
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .endpoint_url($endpoint)
            .region(Region::new($region.to_owned()))
            .credentials_provider(Credentials::new($access_key, $secret, $token, None, "the test"))
            .build();
        $sdk::Client::from_conf(config)
    }};
}

impl World {
    /// Creates a client of CodeCommit with the example access key of the documentation.
    pub fn sdk(&self) -> aws_sdk_codecommit::Client {
        self.sdk_as("AKIAIOSFODNN7EXAMPLE", "us-east-1")
    }

    /// Creates a client of CodeCommit with an access key and its secret.
    pub fn sdk_with(&self, access_key: &str, secret: &str) -> aws_sdk_codecommit::Client {
        client!(aws_sdk_codecommit, self.endpoint(), access_key, secret, None, "us-east-1")
    }

    /// Creates a client of CodeCommit with temporary credentials.
    pub fn sdk_with_token(&self, access_key: &str, secret: &str, token: &str) -> aws_sdk_codecommit::Client {
        client!(aws_sdk_codecommit, self.endpoint(), access_key, secret, Some(token.to_owned()), "us-east-1")
    }

    /// Creates a client of CodeCommit with an access key, for a region.
    pub fn sdk_as(&self, access_key: &str, region: &str) -> aws_sdk_codecommit::Client {
        client!(aws_sdk_codecommit, self.endpoint(), access_key, SECRET, None, region)
    }

    /// Creates a client of CloudTrail with the example access key of the documentation.
    pub fn cloudtrail(&self) -> aws_sdk_cloudtrail::Client {
        self.cloudtrail_as("AKIAIOSFODNN7EXAMPLE", "us-east-1")
    }

    /// Creates a client of CloudTrail with an access key, for a region.
    pub fn cloudtrail_as(&self, access_key: &str, region: &str) -> aws_sdk_cloudtrail::Client {
        client!(aws_sdk_cloudtrail, self.endpoint(), access_key, SECRET, None, region)
    }

    /// Creates a client of STS with an access key.
    pub fn sts_as(&self, access_key: &str) -> aws_sdk_sts::Client {
        client!(aws_sdk_sts, self.endpoint(), access_key, SECRET, None, "us-east-1")
    }
}

impl HttpClient for Connection {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(*self)
    }
}

impl HttpConnector for Connection {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::new(async move {
            let sent = tokio::task::spawn_blocking(move || exchange(&request)).await;
            sent.map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}

fn exchange(request: &HttpRequest) -> HttpResponse {
    let mut raw = Request::builder().method(request.method()).uri(request.uri());
    for (name, value) in request.headers() {
        raw = raw.header(name, value);
    }
    let body = request.body().bytes().expect("no operation has a streaming body").to_vec();
    let reply = wire::send(raw.body(body).expect("the request of the SDK is well formed"));
    let status = reply.status.try_into().expect("the status is valid");
    let mut response = HttpResponse::new(status, SdkBody::from(reply.body));
    for (name, value) in reply.headers {
        response.headers_mut().append(name, value);
    }
    response
}
