//! `aegize approvals`: people decide in one process, and the agent's calls run in another.

mod bank;
mod deciding;
mod looking;
mod prompting;
mod serving;
mod terminal;
mod token_records;
mod tokens;
mod trouble;
mod watching;
