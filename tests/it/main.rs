//! Behaviour through the public face, a module per concern.

mod architecture;
mod corpus;
mod oracle;
mod policy_file;
