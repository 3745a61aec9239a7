//! A credential of each kind, for tests.

/// As many characters as would be random in a credential, from its alphabet.
pub(crate) fn filler(alphabet: &str, length: usize) -> String {
    alphabet.chars().cycle().take(length).collect()
}

const MIXED: &str = "q7Wz3Kx9Rb5Tn1Vm8Yc2Hd6Jf4Lg0Ps";
const HEX: &str = "9f3a7c1e5b8d2046";
const UPPER: &str = "Q7WZ3KX5RB2TN6VMYCHDJFLGPS4";

/// Credentials that are a prefix and so many random characters.
const PREFIXED: [(&str, &str, &str, usize); 41] = [
    ("aws_access_key", "AKIA", UPPER, 16),
    ("aws_access_key", "ASIA", UPPER, 16),
    ("github_token", "ghp_", MIXED, 36),
    ("github_token", "gho_", MIXED, 36),
    ("github_token", "ghu_", MIXED, 36),
    ("github_token", "ghs_", MIXED, 36),
    ("github_token", "ghr_", MIXED, 36),
    ("github_token", "github_pat_", MIXED, 82),
    ("gitlab_token", "glpat-", MIXED, 20),
    ("gitlab_token", "glrt-", MIXED, 20),
    ("slack_token", "xoxb-", MIXED, 24),
    ("slack_token", "xoxp-", MIXED, 24),
    ("slack_token", "xapp-", MIXED, 24),
    ("stripe_key", "sk_live_", MIXED, 24),
    ("stripe_key", "rk_live_", MIXED, 24),
    ("stripe_key", "sk_test_", MIXED, 24),
    ("webhook_secret", "whsec_", MIXED, 32),
    ("sk_key", "sk-", MIXED, 48),
    ("sk_key", "sk-proj-", MIXED, 48),
    ("sk_key", "sk-ant-api03-", MIXED, 95),
    ("xai_key", "xai-", MIXED, 80),
    ("groq_key", "gsk_", MIXED, 52),
    ("perplexity_key", "pplx-", MIXED, 48),
    ("replicate_token", "r8_", MIXED, 37),
    ("hugging_face_token", "hf_", MIXED, 34),
    ("nvidia_key", "nvapi-", MIXED, 64),
    ("google_api_key", "AIza", MIXED, 35),
    ("google_client_secret", "GOCSPX-", MIXED, 28),
    ("google_access_token", "ya29.", MIXED, 60),
    ("digitalocean_token", "dop_v1_", HEX, 64),
    ("npm_token", "npm_", MIXED, 36),
    ("pypi_token", "pypi-AgE", MIXED, 80),
    ("rubygems_key", "rubygems_", HEX, 48),
    ("docker_token", "dckr_pat_", MIXED, 27),
    ("vault_token", "hvs.", MIXED, 90),
    ("grafana_token", "glsa_", MIXED, 41),
    ("shopify_token", "shpat_", HEX, 32),
    ("atlassian_token", "ATATT3", MIXED, 186),
    ("tailscale_key", "tskey-auth-", MIXED, 30),
    ("age_key", "AGE-SECRET-KEY-1", UPPER, 58),
    ("azure_client_secret", "Q~", MIXED, 34),
];

/// A credential of each rule: its name, what stands before it, and the secret. They are put
/// together here so that no file holds anything that looks like one.
pub(crate) fn canaries() -> Vec<(&'static str, String, String)> {
    let mut canaries: Vec<_> = PREFIXED
        .into_iter()
        .map(|(rule, prefix, alphabet, length)| {
            let secret = format!("{prefix}{}", filler(alphabet, length));
            (rule, String::new(), secret)
        })
        .collect();
    for (rule, before, secret) in [
        ("bearer", "Bearer ", filler(MIXED, 40)),
        ("basic_auth", "Basic ", filler(MIXED, 24)),
        (
            "url_password",
            "postgres://shop:",
            format!("{}@db/shop", filler(MIXED, 12)),
        ),
        (
            "slack_webhook",
            "https://hooks.slack.com/services/",
            filler(MIXED, 44),
        ),
        (
            "discord_webhook",
            "https://discord.com/api/webhooks/123456789012345678/",
            filler(MIXED, 68),
        ),
        (
            "telegram_bot",
            "https://api.telegram.org/bot123456789:",
            filler(MIXED, 35),
        ),
        (
            "azure_sas",
            "https://a.blob.core.windows.net/c?sv=1&sig=",
            filler(MIXED, 44),
        ),
        (
            "sendgrid_key",
            "",
            format!("SG.{}.{}", filler(MIXED, 22), filler(MIXED, 43)),
        ),
        (
            "jwt",
            "",
            format!(
                "eyJ{}.eyJ{}.{}",
                filler(MIXED, 33),
                filler(MIXED, 60),
                filler(MIXED, 43)
            ),
        ),
        (
            "private_key",
            "",
            format!(
                "-----BEGIN RSA {}-----\n{}\n-----END RSA {}-----",
                "PRIVATE KEY",
                filler(MIXED, 600),
                "PRIVATE KEY"
            ),
        ),
    ] {
        canaries.push((rule, before.to_owned(), secret));
    }
    canaries
}
