//! The file `channels.yaml`, read completely or not at all.
//!
//! The invariant: no secret stands in the file, and none in a message about it.

use std::collections::HashSet;
use std::path::Path;

use aegize_core::{Environment, NamePattern, RiskLevel};
use aegize_sinks::WebhookSecret;
use aegize_store::__yaml;
use serde::Deserialize;
use serde_saphyr::Spanned;
use url::Url;

use super::command::Command;
use super::error::ChannelsError;
use super::filter::Filter;
use super::secret::{Secret, read_limited, secret};
use super::slack::Slack;
use super::terminal::Terminal;
use super::webhook::Webhook;
use super::{Channel, Way};

/// The longest file that is read, in bytes.
const LONGEST: u64 = 1024 * 1024;

/// What a file says.
pub(super) struct Config {
    /// Where people reach the inbox, without a slash at the end.
    pub(super) url: Option<String>,
    pub(super) channels: Vec<Channel>,
}

pub(super) fn read_file(path: &Path) -> Result<Config, ChannelsError> {
    read_limited(path, LONGEST)
        .map_err(ChannelsError::new)
        .and_then(|text| read(&text))
        .map_err(|error| error.in_file(path))
}

pub(super) fn read(text: &str) -> Result<Config, ChannelsError> {
    let file: File = __yaml::read(text)?;
    let mut names = HashSet::new();
    let mut channels = Vec::new();
    for raw in file.channels {
        let name = &raw.name;
        check_name(name)?;
        if !names.insert(name.value.clone()) {
            let message = format!("there are two channels `{}`; rename one", name.value);
            return Err(ChannelsError::new(message).at(name.referenced));
        }
        channels.push(raw.into_channel()?);
    }
    let url = file.url.map(|url| inbox(&url)).transpose()?;
    Ok(Config {
        url: url.map(|url| url.as_str().trim_end_matches('/').to_owned()),
        channels,
    })
}

/// What stands in the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    url: Option<Spanned<String>>,
    channels: Vec<RawChannel>,
}

/// A channel of any type; which keys go with which is checked after.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawChannel {
    name: Spanned<String>,
    r#type: Spanned<Type>,
    tools: Option<Vec<Spanned<String>>>,
    risk_level_min: Option<RiskLevel>,
    environments: Option<Vec<Environment>>,

    url: Option<Spanned<String>>,
    secret_env: Option<Spanned<String>>,
    secret_file: Option<Spanned<String>>,
    callback_secret_env: Option<Spanned<String>>,
    callback_secret_file: Option<Spanned<String>>,

    channel: Option<Spanned<String>>,
    bot_token_env: Option<Spanned<String>>,
    bot_token_file: Option<Spanned<String>>,
    signing_secret_env: Option<Spanned<String>>,
    signing_secret_file: Option<Spanned<String>>,
    api_url: Option<Spanned<String>>,

    command: Option<Spanned<Vec<String>>>,
    timeout_seconds: Option<Spanned<u64>>,
}

#[derive(Deserialize, Clone, Copy, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Type {
    Webhook,
    Slack,
    Command,
    Terminal,
}

impl Type {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::Slack => "slack",
            Self::Command => "command",
            Self::Terminal => "terminal",
        }
    }
}

impl RawChannel {
    fn into_channel(self) -> Result<Channel, ChannelsError> {
        self.check_keys()?;
        let way = match self.r#type.value {
            Type::Webhook => Way::Webhook(self.webhook()?),
            Type::Slack => Way::Slack(self.slack()?),
            Type::Command => Way::Command(self.command()?),
            Type::Terminal => Way::Terminal(Terminal::of_this_process()),
        };
        let tools = self.tools.into_iter().flatten().map(|tool| {
            tool.value.parse::<NamePattern>().map_err(|error| {
                let message = format!("the pattern `{}` {error}", tool.value);
                ChannelsError::new(message).at(tool.referenced)
            })
        });
        Ok(Channel {
            filter: Filter {
                tools: tools.collect::<Result<_, _>>()?,
                risk_level_min: self.risk_level_min.unwrap_or_default(),
                environments: self.environments.unwrap_or_default(),
            },
            name: self.name.value,
            way,
        })
    }

    /// Every key has to be one of the channel's type.
    fn check_keys(&self) -> Result<(), ChannelsError> {
        let place = |value: &Option<Spanned<String>>| value.as_ref().map(|value| value.referenced);
        let keys = [
            ("url", Type::Webhook, place(&self.url)),
            ("secret_env", Type::Webhook, place(&self.secret_env)),
            ("secret_file", Type::Webhook, place(&self.secret_file)),
            (
                "callback_secret_env",
                Type::Webhook,
                place(&self.callback_secret_env),
            ),
            (
                "callback_secret_file",
                Type::Webhook,
                place(&self.callback_secret_file),
            ),
            ("channel", Type::Slack, place(&self.channel)),
            ("bot_token_env", Type::Slack, place(&self.bot_token_env)),
            ("bot_token_file", Type::Slack, place(&self.bot_token_file)),
            (
                "signing_secret_env",
                Type::Slack,
                place(&self.signing_secret_env),
            ),
            (
                "signing_secret_file",
                Type::Slack,
                place(&self.signing_secret_file),
            ),
            ("api_url", Type::Slack, place(&self.api_url)),
            (
                "command",
                Type::Command,
                self.command.as_ref().map(|command| command.referenced),
            ),
            (
                "timeout_seconds",
                Type::Command,
                self.timeout_seconds.as_ref().map(|time| time.referenced),
            ),
        ];
        let own = self.r#type.value;
        for (key, kind, place) in keys {
            if let Some(place) = place.filter(|_| kind != own) {
                let (kind, own) = (kind.as_str(), own.as_str());
                let message = format!(
                    "`{key}` belongs to channels of type `{kind}`, and this one is of type \
                     `{own}`; remove it"
                );
                return Err(ChannelsError::new(message).at(place));
            }
        }
        Ok(())
    }

    fn webhook(&self) -> Result<Webhook, ChannelsError> {
        let url = self.needed(self.url.as_ref(), "url")?;
        let found = secret(
            "secret",
            self.secret_env.as_ref(),
            self.secret_file.as_ref(),
        )?;
        let found = found.ok_or_else(|| self.lacks("secret_env` or `secret_file"))?;
        let callback = secret(
            "callback_secret",
            self.callback_secret_env.as_ref(),
            self.callback_secret_file.as_ref(),
        )?;
        let parse = |secret: Secret<'_>| {
            WebhookSecret::parse(&secret.text).map_err(|error| secret.unusable(&error.to_string()))
        };
        Ok(Webhook {
            url: address(url, "url")?,
            secret: parse(found)?,
            callback_secret: callback.map(parse).transpose()?,
        })
    }

    fn slack(&self) -> Result<Slack, ChannelsError> {
        let channel = self.needed(self.channel.as_ref(), "channel")?;
        if channel.value.is_empty() || !channel.value.bytes().all(|b| b.is_ascii_alphanumeric()) {
            let message = format!(
                "`{}` is no id of a channel; write the one that Slack shows in the channel's \
                 details, such as C0123ABCD",
                channel.value
            );
            return Err(ChannelsError::new(message).at(channel.referenced));
        }
        let token = secret(
            "bot_token",
            self.bot_token_env.as_ref(),
            self.bot_token_file.as_ref(),
        )?;
        let token = token.ok_or_else(|| self.lacks("bot_token_env` or `bot_token_file"))?;
        if !token.text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(token.unusable("it holds a character that no token has; check it"));
        }
        let signing = secret(
            "signing_secret",
            self.signing_secret_env.as_ref(),
            self.signing_secret_file.as_ref(),
        )?;
        let signing =
            signing.ok_or_else(|| self.lacks("signing_secret_env` or `signing_secret_file"))?;
        let api = match &self.api_url {
            Some(url) => address(url, "api_url")?,
            None => Slack::api().map_err(|error| ChannelsError::new(error.to_string()))?,
        };
        Ok(Slack::new(
            channel.value.clone(),
            token.text,
            &signing.text,
            api,
        ))
    }

    fn command(&self) -> Result<Command, ChannelsError> {
        let command = self.command.as_ref();
        let command = command.ok_or_else(|| self.lacks("command"))?;
        let unusable = |message: &str| ChannelsError::new(message).at(command.referenced);
        let Some((program, arguments)) = command.value.split_first() else {
            return Err(unusable(
                "the command is empty; write the program and its arguments",
            ));
        };
        if command.value.iter().any(|word| word.contains('\0')) {
            return Err(unusable("the command holds a null character; remove it"));
        }
        let mut made = Command::new(program, arguments);
        if let Some(time) = &self.timeout_seconds {
            if !(1..=600).contains(&time.value) {
                let message = "`timeout_seconds` is not from 1 to 600; write 30 or leave it out";
                return Err(ChannelsError::new(message).at(time.referenced));
            }
            made.timeout = std::time::Duration::from_secs(time.value);
        }
        Ok(made)
    }

    fn needed<'v>(
        &self,
        value: Option<&'v Spanned<String>>,
        key: &str,
    ) -> Result<&'v Spanned<String>, ChannelsError> {
        value.ok_or_else(|| self.lacks(key))
    }

    fn lacks(&self, key: &str) -> ChannelsError {
        let kind = self.r#type.value.as_str();
        let message = format!("a channel of type `{kind}` needs `{key}`; add it");
        ChannelsError::new(message).at(self.r#type.referenced)
    }
}

/// The name stands in paths and in the store.
fn check_name(name: &Spanned<String>) -> Result<(), ChannelsError> {
    let is_name_byte = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if (1..=64).contains(&name.value.len()) && name.value.bytes().all(is_name_byte) {
        return Ok(());
    }
    let message = format!(
        "`{}` is no name of a channel; write up to 64 letters, digits, `-` and `_`",
        name.value
    );
    Err(ChannelsError::new(message).at(name.referenced))
}

/// Where people reach the inbox: paths are put behind it.
fn inbox(text: &Spanned<String>) -> Result<Url, ChannelsError> {
    let url = address(text, "url")?;
    if url.query().is_some() {
        let message = "`url` has a part behind `?`; remove it";
        return Err(ChannelsError::new(message).at(text.referenced));
    }
    Ok(url)
}

fn address(text: &Spanned<String>, key: &str) -> Result<Url, ChannelsError> {
    let problem = |message: String| Err(ChannelsError::new(message).at(text.referenced));
    let url = match Url::parse(&text.value) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => url,
        _ => return problem(format!("`{key}` is no address; write `https://host/path`")),
    };
    if !url.username().is_empty() || url.password().is_some() {
        return problem(format!("`{key}` has credentials; remove them"));
    }
    if url.fragment().is_some() {
        return problem(format!("`{key}` has a part behind `#`; remove it"));
    }
    Ok(url)
}
