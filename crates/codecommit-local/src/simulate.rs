//! `codecommit-local simulate`: plays other AWS services as clients of a running server.

mod client;
mod pipeline;

use clap::{Args, Subcommand};

/// What `simulate` can be told.
#[derive(Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    service: Service,
}

#[derive(Subcommand)]
enum Service {
    /// The source action of a pipeline of AWS CodePipeline: assumes its role and has a branch's files put into a bucket
    Pipeline(pipeline::Arguments),
}

/// Plays a service.
pub(crate) fn play(arguments: &Arguments) -> Result<(), String> {
    match &arguments.service {
        Service::Pipeline(arguments) => pipeline::play(arguments),
    }
}
