//! What people see. Every page is whole without JavaScript; the script only keeps it fresh.
//!
//! The invariant: nothing that an agent, a policy or a person wrote reaches a page but through the
//! escaping of the templates.

mod deliveries;
mod failure;
mod frame;
mod history;
mod parts;
mod request;
mod request_facts;
mod sign_in;
mod waiting;

pub(crate) use self::deliveries::deliveries;
pub(crate) use self::failure::{Failure, status};
pub(crate) use self::history::history;
pub(crate) use self::request::{Told, request, request_page};
pub(crate) use self::sign_in::sign_in;
pub(crate) use self::waiting::waiting;
