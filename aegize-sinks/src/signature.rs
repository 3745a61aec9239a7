//! Signatures of Standard Webhooks: HMAC-SHA256 over the id, the time and the body.
//!
//! The invariant: a signature is compared in constant time, and no text shows the secret.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::ConfigError;

/// What the sender and the receiver of a [Standard Webhook](https://www.standardwebhooks.com)
/// share, never shown.
///
/// ```
/// use aegize_sinks::WebhookSecret;
///
/// let secret = WebhookSecret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")?;
/// let signature = secret.sign("msg_1", 1_700_000_000, b"{}");
/// assert!(secret.signed("msg_1", 1_700_000_000, b"{}", &signature));
/// assert!(!secret.signed("msg_2", 1_700_000_000, b"{}", &signature));
/// # Ok::<(), aegize_sinks::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct WebhookSecret(Hmac<Sha256>);

impl WebhookSecret {
    /// A secret of the form `whsec_` and Base64 of 24 to 64 bytes.
    ///
    /// # Errors
    ///
    /// If it is none.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        text.strip_prefix("whsec_")
            .and_then(|text| STANDARD.decode(text).ok())
            .map(Zeroizing::new)
            .filter(|bytes| (24..=64).contains(&bytes.len()))
            .and_then(|bytes| Hmac::new_from_slice(&bytes).ok())
            .map(Self)
            .ok_or_else(|| {
                ConfigError::new(
                    "the secret is none of Standard Webhooks; \
                     write `whsec_` and Base64 of 24 to 64 random bytes",
                )
            })
    }

    /// The value of the header `webhook-signature`, for those of `webhook-id` and
    /// `webhook-timestamp`.
    pub fn sign(&self, id: &str, seconds: u64, body: &[u8]) -> String {
        let mac = self.mac(id, seconds, body);
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }

    /// Whether one of the signatures in the header `webhook-signature` is of this secret. There may
    /// be several, with spaces in between, while a secret is replaced by another.
    pub fn signed(&self, id: &str, seconds: u64, body: &[u8], signatures: &str) -> bool {
        let mac = self.mac(id, seconds, body);
        signatures
            .split(' ')
            .filter_map(|signature| signature.strip_prefix("v1,"))
            .filter_map(|signature| STANDARD.decode(signature).ok())
            .any(|signature| mac.clone().verify_slice(&signature).is_ok())
    }

    fn mac(&self, id: &str, seconds: u64, body: &[u8]) -> Hmac<Sha256> {
        self.0
            .clone()
            .chain_update(format!("{id}.{seconds}."))
            .chain_update(body)
    }
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookSecret").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::WebhookSecret;

    /// The example of the specification's own libraries.
    #[test]
    fn signatures_are_those_of_others() {
        let secret = WebhookSecret::parse("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD").unwrap();
        let body = br#"{"email":"test@example.com","username":"test_user"}"#;
        let id = "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk";
        let signature = "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=";
        assert_eq!(secret.sign(id, 1_649_367_553, body), signature);

        let accepts = |signatures: &str| secret.signed(id, 1_649_367_553, body, signatures);
        assert!(accepts(signature));
        assert!(accepts(&format!("v1a,AAAA v1,AAAA {signature}")));
        let without_version = &signature[3..];
        let cut = &signature[..signature.len() - 4];
        let doubled = signature.repeat(2);
        let other_version = signature.replace("v1", "v2");
        for forged in ["", "v1,", without_version, cut, &doubled, &other_version] {
            assert!(!accepts(forged), "{forged}");
        }
    }
}
