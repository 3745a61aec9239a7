//! Channels through their public face: local servers that stand in for receivers and for Slack.

mod callbacks;
mod command;
mod config;
mod restarts;
mod served;
mod slack;
mod support;
mod webhook;
