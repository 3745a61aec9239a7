//! The shapes of widespread credentials.
//!
//! A table, and one regular expression made of it. Every pattern begins with a literal, so that an
//! ordinary text is passed over by a search for a few dozen words. A pattern asks for no more than
//! is needed to tell a credential, and takes what follows in its alphabet: a cut one is known by
//! its beginning. Prefixes, alphabets and lengths are those of the documents named at each rule.
//! For services that document none, they are those of the rules of gitleaks
//! (<https://github.com/gitleaks/gitleaks>, `config/gitleaks.toml`).

use std::sync::LazyLock;

use regex::Regex;

use super::Span;

/// How one kind of credential looks.
pub(super) struct Rule {
    /// Its name in records.
    pub(super) name: &'static str,
    /// With one group: the secret.
    pattern: &'static str,
    /// What else has to hold of the secret.
    check: fn(&str) -> bool,
}

const fn rule(name: &'static str, pattern: &'static str) -> Rule {
    Rule {
        name,
        pattern,
        check: |_| true,
    }
}

/// A pattern that words would match, too.
const fn no_word(name: &'static str, pattern: &'static str) -> Rule {
    Rule {
        name,
        pattern,
        check: is_no_word,
    }
}

pub(super) const RULES: [Rule; 38] = [
    // RFC 7468; also OpenPGP's armour, RFC 9580. What is not ended goes on to the end.
    rule(
        "private_key",
        r"(-----BEGIN [A-Z0-9 ]{0,32}PRIVATE KEY(?: BLOCK)?-----(?s:.)*?(?:-----END [A-Z0-9 ]{0,32}PRIVATE KEY(?: BLOCK)?-----|\z))",
    ),
    // RFC 7519 and RFC 7516: parts in base64url, the first of which begins with `{"`.
    rule("jwt", r"(eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_.-]{8,})"),
    // RFC 6750 and RFC 7617.
    no_word(
        "bearer",
        r"(?:Bearer|bearer|BEARER)[ \t]+([A-Za-z0-9._~+/=-]{16,})",
    ),
    no_word(
        "basic_auth",
        r"(?:Basic|basic|BASIC)[ \t]+([A-Za-z0-9+/=_-]{8,})",
    ),
    // RFC 3986, section 3.2.1.
    rule("url_password", r#"://[^\s/?#:@"'<>]{0,256}:([^\s/"'<>]+)@"#),
    // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
    rule("aws_access_key", r"((?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16})"),
    // https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/about-authentication-to-github
    rule(
        "github_token",
        r"((?:ghp_|gho_|ghu_|ghs_|ghr_)[A-Za-z0-9_.-]{36,}|github_pat_[A-Za-z0-9_]{36,})",
    ),
    // https://docs.gitlab.com/security/tokens/#token-prefixes
    rule(
        "gitlab_token",
        r"((?:glpat|gldt|glrt|glcbt|glptt|glft|glimt|glagent|glsoat|gloas|glffct)-[A-Za-z0-9_.-]{20,})",
    ),
    // https://docs.slack.dev/authentication/tokens
    rule(
        "slack_token",
        r"((?:xoxa|xoxb|xoxe|xoxo|xoxp|xoxr|xoxs|xapp)[-.][A-Za-z0-9.-]{10,})",
    ),
    // https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
    rule(
        "slack_webhook",
        r"hooks\.slack\.com/(?:services|workflows|triggers)/([A-Za-z0-9+/_-]{20,})",
    ),
    // https://discord.com/developers/docs/resources/webhook
    rule(
        "discord_webhook",
        r"/api/webhooks/[0-9]{17,20}/([A-Za-z0-9_-]{60,})",
    ),
    // https://core.telegram.org/bots/api#authorizing-your-bot
    rule("telegram_bot", r"/bot[0-9]{5,16}:([A-Za-z0-9_-]{30,})"),
    // https://docs.stripe.com/keys
    rule(
        "stripe_key",
        r"((?:sk_live_|sk_test_|rk_live_|rk_test_)[A-Za-z0-9]{10,})",
    ),
    // https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
    rule("webhook_secret", r"(wh(?:sec|sk)_[A-Za-z0-9+/=]{24,})"),
    // OpenAI and Anthropic, among others.
    no_word("sk_key", r"(?:(?-u:\b)|\\[nrt])(sk-[A-Za-z0-9_-]{20,})"),
    rule("xai_key", r"(xai-[A-Za-z0-9]{64,})"),
    rule("groq_key", r"(gsk_[A-Za-z0-9]{48,})"),
    rule("perplexity_key", r"(pplx-[A-Za-z0-9]{40,})"),
    rule("replicate_token", r"(r8_[A-Za-z0-9]{37,})"),
    // https://huggingface.co/docs/hub/security-tokens
    rule("hugging_face_token", r"(hf_[A-Za-z0-9]{34,})"),
    rule("nvidia_key", r"(nvapi-[A-Za-z0-9_-]{60,})"),
    // https://cloud.google.com/docs/authentication/api-keys; OAuth clients and access tokens.
    rule("google_api_key", r"(AIza[A-Za-z0-9_-]{35})"),
    rule("google_client_secret", r"(GOCSPX-[A-Za-z0-9_-]{28})"),
    rule("google_access_token", r"(ya29\.[A-Za-z0-9_-]{20,})"),
    // https://learn.microsoft.com/azure/storage/common/storage-sas-overview
    rule("azure_sas", r"[?&]sig=([A-Za-z0-9%+/=]{20,})"),
    rule("azure_client_secret", r"(Q~[A-Za-z0-9_~.-]{31,34})"),
    rule(
        "digitalocean_token",
        r"((?:dop_v1_|doo_v1_|dor_v1_)[a-f0-9]{64})",
    ),
    // https://docs.npmjs.com/about-access-tokens
    rule("npm_token", r"(npm_[A-Za-z0-9]{36})"),
    // https://pypi.org/help/#apitoken: a macaroon.
    rule("pypi_token", r"(pypi-AgE[A-Za-z0-9_-]{50,})"),
    rule("rubygems_key", r"(rubygems_[a-f0-9]{48})"),
    rule(
        "docker_token",
        r"((?:dckr_pat|dckr_oat)_[A-Za-z0-9_-]{20,})",
    ),
    // https://developer.hashicorp.com/vault/docs/concepts/tokens#token-prefixes
    rule("vault_token", r"((?:hvs|hvb|hvr)\.[A-Za-z0-9_-]{24,})"),
    rule("grafana_token", r"((?:glsa_|glc_)[A-Za-z0-9_+/=]{32,})"),
    rule(
        "sendgrid_key",
        r"(SG\.[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{40,})",
    ),
    rule(
        "shopify_token",
        r"((?:shpat_|shpca_|shppa_|shpss_)[a-fA-F0-9]{32})",
    ),
    rule("atlassian_token", r"(ATATT3[A-Za-z0-9_=-]{80,})"),
    // https://tailscale.com/kb/1277/key-prefixes
    rule(
        "tailscale_key",
        r"(tskey-[a-z]{1,16}-[A-Za-z0-9]{8,}(?:-[A-Za-z0-9]+)?)",
    ),
    // https://age-encryption.org/v1
    rule("age_key", r"(AGE-SECRET-KEY-1[A-Z0-9]{50,})"),
];

/// All rules as one: the group that matched tells which.
static ANY: LazyLock<Regex> = LazyLock::new(|| {
    let patterns: Vec<_> = RULES.iter().map(|rule| rule.pattern).collect();
    #[expect(
        clippy::expect_used,
        reason = "the table is fixed, and every test reads it"
    )]
    Regex::new(&patterns.join("|")).expect("the rules are regular expressions")
});

/// The secrets in a text that have a known shape, in order, none within another.
pub(super) fn find(text: &str) -> impl Iterator<Item = Span<'_>> {
    ANY.find_iter(text).filter_map(move |found| {
        let captures = ANY.captures_at(text, found.start())?;
        let mut groups = RULES.iter().zip(captures.iter().skip(1));
        let (rule, secret) = groups.find_map(|(rule, group)| Some((rule, group?)))?;
        (rule.check)(secret.as_str()).then(|| Span {
            range: secret.range(),
            name: rule.name,
        })
    })
}

/// Whether a text has a digit, or an upper case letter behind a lower case one.
fn is_no_word(text: &str) -> bool {
    let mut bytes = text.bytes();
    text.bytes().any(|byte| byte.is_ascii_digit())
        || (bytes.any(|byte| byte.is_ascii_lowercase())
            && bytes.any(|byte| byte.is_ascii_uppercase()))
}
