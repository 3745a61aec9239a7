//! What is emitted when something was wrong.
//!
//! Invariant: the item is emitted as the user wrote it, less the attributes that only
//! `#[guarded_tool]` understands, so that a mistake in an attribute is not also a missing function.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

// Input:  the item, the mistakes as `compile_error!`s
// Output: the item without `#[guard(…)]`, then the mistakes
pub(crate) fn fallback(item: TokenStream, mistakes: TokenStream) -> TokenStream {
    let mut output: TokenStream = item.into_iter().map(without_guards).collect();
    output.extend(mistakes);
    output
}

// Input:  (&self, #[guard(redact)] secret: String)
// Output: (&self, secret: String)
fn without_guards(token: TokenTree) -> TokenTree {
    match token {
        TokenTree::Group(group) if group.delimiter() == Delimiter::Parenthesis => {
            let mut kept = TokenStream::new();
            let mut tokens = group.stream().into_iter().peekable();
            while let Some(token) = tokens.next() {
                if is_hash(&token) && tokens.next_if(is_guard).is_some() {
                    continue;
                }
                kept.extend([token]);
            }
            let mut parameters = Group::new(Delimiter::Parenthesis, kept);
            parameters.set_span(group.span());
            parameters.into()
        }
        token => token,
    }
}

fn is_hash(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == '#')
}

fn is_guard(token: &TokenTree) -> bool {
    let TokenTree::Group(group) = token else {
        return false;
    };
    let first = group.stream().into_iter().next();
    group.delimiter() == Delimiter::Bracket
        && matches!(first, Some(TokenTree::Ident(ident)) if ident == "guard")
}
