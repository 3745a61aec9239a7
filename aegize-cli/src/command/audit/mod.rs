//! `aegize audit`: what can be asked about audit logs.

mod checkpoint;
mod filter;
mod key;
mod keygen;
mod moment;
mod prove;
mod show;
mod stats;
mod verify;
mod verify_proof;

use std::io::Write;

use clap::Subcommand;

use self::checkpoint::CheckpointLog;
use self::keygen::Keygen;
use self::prove::Prove;
use self::show::Show;
use self::stats::Stats;
use self::verify::Verify;
use self::verify_proof::VerifyProof;
use super::EXIT_CODES;
use crate::exit::{Exit, Failure};

const EXAMPLE: &str = "\
Examples:
  aegize audit show audit.jsonl --since 1h
  aegize audit show audit.jsonl --event denied --follow
  aegize audit stats audit.jsonl --agent research_bot
  aegize audit verify audit.jsonl
  aegize audit keygen example.com/agents --output log.key
  aegize audit checkpoint audit.jsonl --key log.key
  aegize audit verify audit.jsonl --key log.key.pub --since kept.checkpoint
  aegize audit prove audit.jsonl --seq 41 --output 41.tlog-proof
  aegize audit verify-proof 41.tlog-proof --key log.key.pub";

/// Work with audit logs
///
/// A log says what agents attempted and what became of it, one record a line: JSON Lines in a file, or
/// a directory of segments; every command takes either. Each record has the hash of the one before it,
/// and signed checkpoints vouch for all of them, so that whoever has the public key can tell whether
/// anything was changed. Nothing is executed, and no log is ever changed.
#[derive(Debug, Subcommand)]
#[command(
    arg_required_else_help = true,
    after_help = EXIT_CODES,
    after_long_help = format!("{EXAMPLE}\n\n{EXIT_CODES}")
)]
pub(crate) enum AuditCommand {
    Show(Show),
    Stats(Stats),
    Verify(Verify),
    Checkpoint(CheckpointLog),
    Prove(Prove),
    VerifyProof(VerifyProof),
    Keygen(Keygen),
}

impl AuditCommand {
    pub(crate) fn run(&self, stdout: &mut impl Write) -> Result<Exit, Failure> {
        match self {
            Self::Show(show) => show.run(stdout),
            Self::Stats(stats) => stats.run(stdout),
            Self::Verify(verify) => verify.run(stdout),
            Self::Checkpoint(checkpoint) => checkpoint.run(stdout),
            Self::Prove(prove) => prove.run(stdout),
            Self::VerifyProof(proof) => proof.run(stdout),
            Self::Keygen(keygen) => keygen.run(stdout),
        }
    }
}
