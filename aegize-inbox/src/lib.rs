//! Where people decide about the approvals of Aegize: pages, an API, and channels that tell of them.
