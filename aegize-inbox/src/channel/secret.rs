//! Secrets, from where a file says that they are: the environment, or a file of their own.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use serde_saphyr::Spanned;
use zeroize::Zeroizing;

use super::error::ChannelsError;

/// The longest secret that is read from a file, in bytes.
const LONGEST: u64 = 64 * 1024;

/// A secret, and where the file says where it is.
pub(super) struct Secret<'s> {
    pub(super) text: Zeroizing<String>,
    source: &'s Spanned<String>,
}

impl Secret<'_> {
    pub(super) fn unusable(&self, why: &str) -> ChannelsError {
        let message = format!("the secret that is named here is unusable: {why}");
        ChannelsError::new(message).at(self.source.referenced)
    }
}

/// A secret from where the file says that it is.
pub(super) fn secret<'s>(
    key: &str,
    env: Option<&'s Spanned<String>>,
    file: Option<&'s Spanned<String>>,
) -> Result<Option<Secret<'s>>, ChannelsError> {
    let (text, source) = match (env, file) {
        (None, None) => return Ok(None),
        (Some(_), Some(file)) => {
            let message = format!("there are `{key}_env` and `{key}_file`; remove one");
            return Err(ChannelsError::new(message).at(file.referenced));
        }
        (Some(env), None) => {
            let text = std::env::var(&env.value).map_err(|_| {
                let message =
                    format!("the environment has no variable of the name in `{key}_env`; set it");
                ChannelsError::new(message).at(env.referenced)
            })?;
            (text, env)
        }
        (None, Some(file)) => {
            let text = read_limited(Path::new(&file.value), LONGEST);
            let text = text.map_err(|error| {
                let message = format!("the file in `{key}_file` {error}");
                ChannelsError::new(message).at(file.referenced)
            })?;
            (text, file)
        }
    };
    let text = Zeroizing::new(text);
    let text = Zeroizing::new(text.trim().to_owned());
    let secret = Secret { text, source };
    if secret.text.is_empty() {
        return Err(secret.unusable("it is empty; write the secret there"));
    }
    Ok(Some(secret))
}

/// The text of a file that is not too long.
pub(super) fn read_limited(path: &Path, limit: u64) -> Result<String, String> {
    let mut text = String::new();
    let file = File::open(path);
    let length = file.and_then(|file| file.take(limit + 1).read_to_string(&mut text));
    match length {
        Err(error) => Err(format!("cannot be read: {error}; check the path")),
        Ok(length) if length as u64 > limit => {
            Err(format!("is longer than {limit} bytes; shorten it"))
        }
        Ok(_) => Ok(text),
    }
}
