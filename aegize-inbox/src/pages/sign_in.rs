//! The page to sign in at.

use maud::{Markup, html};

use super::frame::Frame;

/// The form, and why it is shown again.
pub(crate) fn sign_in(next: &str, told: Option<&str>) -> Markup {
    Frame::titled("Sign in").page(&html! {
        section.sign-in {
            h1 { "Sign in" }
            p.lead { "Calls of agents wait here for a person." }
            form method="post" action="/sign-in" {
                @if let Some(told) = told {
                    p #told.told role="alert" { (told) }
                }
                input type="hidden" name="next" value=(next);
                label for="token" { "Your token" }
                input #token type="password" name="token" required autofocus autocomplete="current-password"
                    spellcheck="false" autocapitalize="off" placeholder="agz_…"
                    aria-describedby=[told.map(|_| "told")];
                button.primary type="submit" { "Sign in" }
            }
            p.hint {
                "Whoever runs this inbox makes one with " code { "aegize approvals tokens create NAME" } "."
            }
        }
    })
}
