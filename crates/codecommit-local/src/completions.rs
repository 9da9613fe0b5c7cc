//! `codecommit-local completions` and `man`: shell completions and the manual page.

use std::io;

use clap::{Args, Command};
use clap_complete::Shell;

/// Arguments of `completions`.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Shell that reads the completions
    shell: Shell,
}

/// Prints the completions of a shell.
pub(crate) fn print(arguments: &Arguments, mut command: Command) {
    clap_complete::generate(arguments.shell, &mut command, "codecommit-local", &mut io::stdout());
}

/// Prints the manual page, in roff.
pub(crate) fn print_manual(command: Command) -> Result<(), String> {
    clap_mangen::Man::new(command).render(&mut io::stdout()).map_err(|error| error.to_string())
}
