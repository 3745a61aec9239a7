//! Behaviour through the public face, a module per concern.

mod architecture;
mod audit;
mod captures;
mod contexts;
mod corpus;
mod explicit;
mod guard;
mod oracle;
mod policy_file;
mod support;
