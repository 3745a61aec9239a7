//! From the text of a glob to its tokens.

use super::{Class, Glob, PatternError, Set, Syntax, Token};

impl Glob {
    /// Reads a checked pattern, or the end of one. In a path, `**` stands alone between separators, not twice in a row, and
    /// not as the whole pattern.
    pub(in crate::pattern) fn new(pattern: &str, syntax: Syntax) -> Result<Self, PatternError> {
        let mut parser = Parser {
            syntax,
            rest: pattern,
            classes: Vec::new(),
        };
        let tokens = parser.pattern()?;
        Ok(Self {
            tokens: tokens.into(),
            classes: parser.classes.into(),
        })
    }
}

struct Parser<'p> {
    syntax: Syntax,
    rest: &'p str,
    classes: Vec<Class>,
}

impl Parser<'_> {
    fn pattern(&mut self) -> Result<Vec<Token>, PatternError> {
        let is_path = self.syntax == Syntax::Path;
        let mut tokens = Vec::new();
        loop {
            if is_path && self.rest == "/**" {
                // The directory itself is covered, too.
                tokens.extend([Token::Below, Token::Many(Set::Any)]);
                return Ok(tokens);
            }
            if is_path && self.eat("**/") {
                tokens.push(Token::Directories);
                continue;
            }
            match self.next() {
                None => return Ok(tokens),
                Some('{') => self.braces(&mut tokens)?,
                Some('}') => {
                    return Err(PatternError::new("has a `}` without its `{`; write `[}]`"));
                }
                Some(c) => tokens.push(self.token(c)?),
            }
        }
    }

    /// What follows a `{`, up to its `}`.
    fn braces(&mut self, tokens: &mut Vec<Token>) -> Result<(), PatternError> {
        let mut branches = vec![Vec::new()];
        loop {
            let token = match self.next() {
                None => return Err(PatternError::new("has a `{` without its `}`; write `[{]`")),
                Some('{') => {
                    let problem = "nests braces; write one pattern for each alternative";
                    return Err(PatternError::new(problem));
                }
                Some('/') if self.syntax == Syntax::Path => {
                    let problem = "has a `/` within braces; write one pattern for each path";
                    return Err(PatternError::new(problem));
                }
                Some('}') => break,
                Some(',') => {
                    branches.push(Vec::new());
                    continue;
                }
                Some(c) => self.token(c)?,
            };
            if let Some(branch) = branches.last_mut() {
                branch.push(token);
            }
        }
        let mut ahead: usize = branches.iter().map(|branch| branch.len() + 2).sum();
        for branch in branches {
            let length = branch.len() + 2;
            ahead -= length;
            let next = if ahead > 0 {
                Some(short(length)?)
            } else {
                None
            };
            tokens.push(Token::Branch(next));
            tokens.extend(branch);
            tokens.push(Token::Join(short(ahead + 1)?));
        }
        Ok(())
    }

    /// What a character stands for, in or out of braces.
    fn token(&mut self, c: char) -> Result<Token, PatternError> {
        let set = match self.syntax {
            Syntax::Name => Set::Any,
            Syntax::Text | Syntax::Path => Set::WithinSegment,
        };
        Ok(match c {
            '*' if self.syntax == Syntax::Text && self.eat("*") => Token::Many(Set::Any),
            '*' => Token::Many(set),
            '?' => Token::One(set),
            '[' => Token::One(self.class()?),
            ']' => return Err(PatternError::new("has a `]` without its `[`; write `[]]`")),
            c => Token::Literal(c),
        })
    }

    /// What follows a `[`, up to its `]`.
    fn class(&mut self) -> Result<Set, PatternError> {
        let unclosed = || PatternError::new("has a `[` without its `]`; write `[[]`");
        let is_negated = self.eat("!") || self.eat("^");
        let stays_within = self.syntax != Syntax::Name;
        let mut ranges = Vec::new();
        let mut is_first = true;
        loop {
            let from = self.next().ok_or_else(unclosed)?;
            // A `]` that comes first is a member.
            if from == ']' && !is_first {
                break;
            }
            is_first = false;
            let to = if self.rest.starts_with('-') && !self.rest.starts_with("-]") {
                self.eat("-");
                self.next().ok_or_else(unclosed)?
            } else {
                from
            };
            if from > to {
                return Err(PatternError::new(format!(
                    "has the range `{from}-{to}`, which holds nothing; write `{to}-{from}`"
                )));
            }
            if stays_within && (from..=to).contains(&'/') {
                let problem = "has a character class that holds `/`; write the `/` outside of it";
                return Err(PatternError::new(problem));
            }
            ranges.push((from, to));
        }
        if is_negated && stays_within {
            ranges.push(('/', '/'));
        }
        let position = short(self.classes.len())?;
        self.classes.push(Class {
            is_negated,
            ranges: ranges.into(),
        });
        Ok(Set::Class(position))
    }

    fn next(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let c = chars.next()?;
        self.rest = chars.as_str();
        Some(c)
    }

    fn eat(&mut self, prefix: &str) -> bool {
        let rest = self.rest.strip_prefix(prefix);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }
}

/// A length within a pattern, which has at most two tokens a byte.
fn short(length: usize) -> Result<u16, PatternError> {
    u16::try_from(length)
        .map_err(|_| PatternError::new("is too complex; write several simpler ones"))
}
