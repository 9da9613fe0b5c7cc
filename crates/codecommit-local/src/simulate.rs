//! `codecommit-local simulate`: acts as another AWS service that is a client of a running server.

mod client;
mod pipeline;

use clap::{Args, Subcommand};

/// Arguments of `simulate`.
#[derive(Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    service: Service,
}

#[derive(Subcommand)]
enum Service {
    /// Source action of an AWS CodePipeline pipeline: assumes the role and uploads the files of a branch to a bucket
    Pipeline(pipeline::Arguments),
}

/// Acts as a service.
pub(crate) fn run(arguments: &Arguments) -> Result<(), String> {
    match &arguments.service {
        Service::Pipeline(arguments) => pipeline::run(arguments),
    }
}
