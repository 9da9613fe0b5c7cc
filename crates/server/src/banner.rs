//! What a person needs next.

use server::Server;

/// Returns the lines that are printed when the server is ready.
pub(crate) fn text(server: &Server) -> String {
    let endpoint = server.endpoint();
    let region = server.region();
    format!(
        "
  codecommit-local is ready at {endpoint}

  Paste this into a shell to use it with the AWS CLI and SDKs:

    export AWS_ENDPOINT_URL={endpoint}
    export AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE
    export AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY
    export AWS_REGION={region} AWS_DEFAULT_REGION={region}

  Create a repository, and clone it:

    aws codecommit create-repository --repository-name MyDemoRepo
    git clone {endpoint}/v1/repos/MyDemoRepo

  Data:  {}
  Trail: {}   (codecommit-local events --follow)

",
        server.data_folder().display(),
        server.trail_folder().display(),
    )
}
