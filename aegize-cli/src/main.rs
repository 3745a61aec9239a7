//! `aegize`: checks what the policy of an AI agent decides, before it matters, and is where people
//! decide about calls that wait for them.
//!
//! Commands read, judge, format, and record what people decide; none of them calls a tool. In reading order: [`command`] is what
//! can be asked, [`logs`] reads what is on record, [`exit`] is how it ends, [`output`] how it is
//! told, in columns of [`layout`] and with the lines that [`source`] finds. The invariant: whatever the files, the arguments
//! and the streams are, the process ends with one of the codes of [`exit::Exit`].
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::unreachable,
        clippy::todo
    )
)]

mod command;
mod exit;
mod layout;
mod logs;
mod output;
mod source;

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;

use self::command::Arguments;
use self::exit::{Exit, Failure};

fn main() -> ExitCode {
    let exit = run().unwrap_or_else(|failure| {
        output::report(&failure);
        failure.exit()
    });
    exit.into()
}

fn run() -> Result<Exit, Failure> {
    let mut stdout = output::stdout();
    let exit = match Arguments::try_parse() {
        Ok(arguments) => arguments.run(&mut stdout)?,
        Err(error) if error.use_stderr() => return Err(Failure::Arguments(error)),
        Err(help) => {
            write!(stdout, "{}", help.render())?;
            Exit::Done
        }
    };
    stdout.flush()?;
    Ok(exit)
}
