//! What is around every page.

use aegize_core::ApprovalState;
use maud::{DOCTYPE, Markup, html};
use time::OffsetDateTime;

use super::failure::Failure;
use crate::app::App;
use crate::assets::{ICON, SCRIPT, STYLE};
use crate::shown::Line;
use crate::viewer::Viewer;
use crate::words;

/// What is around a page.
pub(super) struct Frame<'a> {
    title: &'a str,
    viewer: Option<&'a Viewer>,
    /// What a live page knows already.
    live: Option<Live>,
    counts: Option<Counts>,
    place: &'a str,
    is_renewed: bool,
}

/// How much there is to look at.
#[derive(Clone, Copy)]
pub(super) struct Counts {
    pub(super) waiting: u64,
    /// Failed deliveries that people may still have to make up for, if any ever failed.
    pub(super) failing: Option<u64>,
}

impl Counts {
    /// How much there is now.
    pub(super) async fn of(app: &App) -> Result<Self, Failure> {
        Ok(Self {
            waiting: app.desk.count(ApprovalState::Requested).await?,
            failing: match &*app.outbox.problems(1).await? {
                [] => None,
                _ => Some(app.outbox.open_problems().await?),
            },
        })
    }
}

struct Live {
    news: u64,
    /// What is told to those who do not see that the page has changed.
    says: String,
}

impl<'a> Frame<'a> {
    /// For anyone.
    pub(super) fn titled(title: &'a str) -> Self {
        Self {
            title,
            viewer: None,
            live: None,
            counts: None,
            place: "",
            is_renewed: false,
        }
    }

    /// For somebody who is signed in, at a place of the navigation.
    pub(super) fn of(mut self, viewer: &'a Viewer, place: &'a str, counts: Counts) -> Self {
        self.viewer = Some(viewer);
        self.place = place;
        self.counts = Some(counts);
        self
    }

    /// Kept fresh, from what was known when it was made.
    pub(super) fn live(mut self, news: u64, says: String) -> Self {
        self.live = Some(Live { news, says });
        self
    }

    /// Loaded anew every now and then where there is no JavaScript.
    pub(super) fn renewed(mut self) -> Self {
        self.is_renewed = true;
        self
    }

    /// The page.
    pub(super) fn page(self, content: &Markup) -> Markup {
        let news = self.live.as_ref().map(|live| live.news);
        let says = self.live.as_ref().map(|live| &live.says);
        html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    title { (self.title) " · Aegize" }
                    link rel="icon" href=(ICON.path) type="image/svg+xml";
                    link rel="stylesheet" href=(STYLE.path);
                    script src=(SCRIPT.path) defer {}
                    @if self.is_renewed {
                        noscript { meta http-equiv="refresh" content="30"; }
                    }
                }
                body {
                    a.skip href="#main" { "Skip to the content" }
                    (self.header())
                    main #main tabindex="-1" data-now=(words::stamp(OffsetDateTime::now_utc()))
                        data-news=[news] data-says=[says] { (content) }
                    p #said.unheard role="status" aria-live="polite" {}
                    @if self.viewer.is_some() { (keys()) }
                }
            }
        }
    }

    fn header(&self) -> Markup {
        let here = |place: &str| (place == self.place).then_some("page");
        html! {
            header.top {
                a.brand href="/" {
                    img src=(ICON.path) alt="" width="22" height="22";
                    span { "Aegize" }
                }
                @if let Some(viewer) = self.viewer {
                    nav aria-label="Inbox" {
                        a href="/" aria-current=[here("waiting")] {
                            "Waiting"
                            @if let Some(counts) = self.counts {
                                " " span #waiting.count { (counts.waiting) }
                            }
                        }
                        a href="/history" aria-current=[here("history")] { "History" }
                        @if let Some(failing) = self.counts.and_then(|counts| counts.failing) {
                            a href="/deliveries" aria-current=[here("deliveries")] {
                                "Deliveries"
                                @if failing > 0 {
                                    " " span.count.failing { (failing) span.unheard { " failed" } }
                                }
                            }
                        }
                    }
                    div.person {
                        span #connection.connection hidden { "Live" }
                        span.who { (Line(viewer.approver.name())) }
                        form method="post" action="/sign-out" {
                            input type="hidden" name="form_token" value=(viewer.session.form_token);
                            button.quiet type="submit" { "Sign out" }
                        }
                    }
                }
            }
        }
    }
}

/// The keys that the script listens to.
fn keys() -> Markup {
    let rows = [
        ("j", "next request"),
        ("k", "request before"),
        ("Enter", "open it"),
        ("a", "go to Approve"),
        ("r", "go to the reason"),
        ("?", "these keys"),
    ];
    html! {
        dialog #keys aria-labelledby="keys-title" {
            h2 #keys-title { "Keys" }
            dl {
                @for (key, meaning) in rows {
                    div { dt { kbd { (key) } } dd { (meaning) } }
                }
            }
            label { input #keys-on type="checkbox" checked; " Listen to these keys" }
            form method="dialog" { button { "Close" } }
        }
    }
}
