//! Where people decide about the approvals of Aegize: pages, an API, and channels that tell of them.

mod channel;
mod notifier;

pub use self::channel::{Channels, ChannelsError};
pub use self::notifier::{Notifier, NotifierError};
