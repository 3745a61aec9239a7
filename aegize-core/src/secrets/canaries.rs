//! A credential of each kind, for tests.

/// As many characters as would be random in a credential, from its alphabet.
pub(crate) fn filler(alphabet: &str, length: usize) -> String {
    alphabet.chars().cycle().take(length).collect()
}

/// A credential of each rule: its name, what stands before it, and the secret. They are put
/// together here so that no file holds anything that looks like one.
pub(crate) fn canaries() -> Vec<(&'static str, String, String)> {
    let mixed = "q7Wz3Kx9Rb5Tn1Vm8Yc2Hd6Jf4Lg0Ps";
    let hex = "9f3a7c1e5b8d2046";
    let upper = "Q7WZ3KX5RB2TN6VMYCHDJFLGPS4";
    let simple = [
        ("aws_access_key", "AKIA", upper, 16),
        ("aws_access_key", "ASIA", upper, 16),
        ("github_token", "ghp_", mixed, 36),
        ("github_token", "gho_", mixed, 36),
        ("github_token", "ghu_", mixed, 36),
        ("github_token", "ghs_", mixed, 36),
        ("github_token", "ghr_", mixed, 36),
        ("github_token", "github_pat_", mixed, 82),
        ("gitlab_token", "glpat-", mixed, 20),
        ("gitlab_token", "glrt-", mixed, 20),
        ("slack_token", "xoxb-", mixed, 24),
        ("slack_token", "xoxp-", mixed, 24),
        ("slack_token", "xapp-", mixed, 24),
        ("stripe_key", "sk_live_", mixed, 24),
        ("stripe_key", "rk_live_", mixed, 24),
        ("stripe_key", "sk_test_", mixed, 24),
        ("webhook_secret", "whsec_", mixed, 32),
        ("sk_key", "sk-", mixed, 48),
        ("sk_key", "sk-proj-", mixed, 48),
        ("sk_key", "sk-ant-api03-", mixed, 95),
        ("xai_key", "xai-", mixed, 80),
        ("groq_key", "gsk_", mixed, 52),
        ("perplexity_key", "pplx-", mixed, 48),
        ("replicate_token", "r8_", mixed, 37),
        ("hugging_face_token", "hf_", mixed, 34),
        ("nvidia_key", "nvapi-", mixed, 64),
        ("google_api_key", "AIza", mixed, 35),
        ("google_client_secret", "GOCSPX-", mixed, 28),
        ("google_access_token", "ya29.", mixed, 60),
        ("digitalocean_token", "dop_v1_", hex, 64),
        ("npm_token", "npm_", mixed, 36),
        ("pypi_token", "pypi-AgE", mixed, 80),
        ("rubygems_key", "rubygems_", hex, 48),
        ("docker_token", "dckr_pat_", mixed, 27),
        ("vault_token", "hvs.", mixed, 90),
        ("grafana_token", "glsa_", mixed, 41),
        ("shopify_token", "shpat_", hex, 32),
        ("atlassian_token", "ATATT3", mixed, 186),
        ("tailscale_key", "tskey-auth-", mixed, 30),
        ("age_key", "AGE-SECRET-KEY-1", upper, 58),
        ("azure_client_secret", "Q~", mixed, 34),
    ];
    let mut canaries: Vec<_> = simple
        .into_iter()
        .map(|(rule, prefix, alphabet, length)| {
            let secret = format!("{prefix}{}", filler(alphabet, length));
            (rule, String::new(), secret)
        })
        .collect();
    for (rule, before, secret) in [
        ("bearer", "Bearer ", filler(mixed, 40)),
        ("basic_auth", "Basic ", filler(mixed, 24)),
        (
            "url_password",
            "postgres://shop:",
            format!("{}@db/shop", filler(mixed, 12)),
        ),
        (
            "slack_webhook",
            "https://hooks.slack.com/services/",
            filler(mixed, 44),
        ),
        (
            "discord_webhook",
            "https://discord.com/api/webhooks/123456789012345678/",
            filler(mixed, 68),
        ),
        (
            "telegram_bot",
            "https://api.telegram.org/bot123456789:",
            filler(mixed, 35),
        ),
        (
            "azure_sas",
            "https://a.blob.core.windows.net/c?sv=1&sig=",
            filler(mixed, 44),
        ),
        (
            "sendgrid_key",
            "",
            format!("SG.{}.{}", filler(mixed, 22), filler(mixed, 43)),
        ),
        (
            "jwt",
            "",
            format!(
                "eyJ{}.eyJ{}.{}",
                filler(mixed, 33),
                filler(mixed, 60),
                filler(mixed, 43)
            ),
        ),
        (
            "private_key",
            "",
            format!(
                "-----BEGIN RSA {}-----\n{}\n-----END RSA {}-----",
                "PRIVATE KEY",
                filler(mixed, 600),
                "PRIVATE KEY"
            ),
        ),
    ] {
        canaries.push((rule, before.to_owned(), secret));
    }
    canaries
}
