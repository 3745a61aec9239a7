//! A text as a tree that keeps its comments, for those who write it again.
//!
//! Reads what [`parse`](super::parse) accepts, so it knows of few mistakes. The invariant: every
//! comment of the text is in the tree, once.

use granit_parser::{Event, Parser, Placement, ScalarStyle, Span, StructureStyle};

use super::Problem;
use super::parse::{mark, syntax};

/// An entry of a mapping, an item of a list, or the whole document.
#[derive(Debug, Default)]
pub(crate) struct Entry {
    /// The comments on lines of their own that belong to it.
    pub(crate) above: Vec<Comment>,
    /// Whether an empty line stands before it, or between its comments and it.
    pub(crate) is_apart: bool,
    pub(crate) key: Option<Scalar>,
    pub(crate) value: Value,
    /// The comment at the end of its line, or of the line of its key.
    pub(crate) right: Option<String>,
}

#[derive(Debug)]
pub(crate) enum Value {
    Scalar(Scalar),
    List(Block),
    Map(Block),
}

impl Default for Value {
    fn default() -> Self {
        Self::Scalar(Scalar::default())
    }
}

/// A scalar's text, and whether it was written without quotes.
#[derive(Debug, Default)]
pub(crate) struct Scalar {
    pub(crate) text: String,
    pub(crate) is_plain: bool,
}

/// The content of a list or mapping.
#[derive(Debug, Default)]
pub(crate) struct Block {
    pub(crate) entries: Vec<Entry>,
    /// The comments behind the last entry.
    pub(crate) tail: Vec<Comment>,
    column: usize,
    /// Whether it was written in brackets or braces, where columns mean nothing.
    is_flow: bool,
}

/// A comment on a line of its own.
#[derive(Debug)]
pub(crate) struct Comment {
    /// As it was written, with its `#`.
    pub(crate) text: String,
    /// Whether an empty line stands before it.
    pub(crate) is_apart: bool,
    column: usize,
}

/// Reads one document. The comments above it are those at the top of the text that an empty
/// line separates from the first key.
pub(crate) fn read(text: &str) -> Result<Entry, Problem> {
    let options = granit_parser::options! {
        disallow_directives: true,
        max_buffered_comment_events: usize::MAX,
    };
    let mut reader = Reader {
        is_empty: text.lines().map(|line| line.trim().is_empty()).collect(),
        ..Reader::default()
    };
    for next in Parser::new_from_str_with_options(text, options) {
        let (event, span) = next.map_err(|error| syntax(&error))?;
        reader.add(event, &span)?;
    }
    Ok(reader.finish())
}

#[derive(Default)]
struct Reader {
    /// For each line, whether nothing is on it.
    is_empty: Vec<bool>,
    open: Vec<Open>,
    root: Option<Entry>,
    /// The comments whose owner was not seen yet.
    pending: Vec<Comment>,
    /// The line in which the last scalar or bracket ended.
    last_line: usize,
}

/// A list or mapping whose end was not seen yet.
struct Open {
    owner: Entry,
    block: Block,
    is_map: bool,
    /// The entry whose key was read and whose value was not.
    waiting: Option<Entry>,
}

impl Reader {
    fn add(&mut self, event: Event<'_>, span: &Span) -> Result<(), Problem> {
        let is_flow = |style| style == StructureStyle::Flow;
        match event {
            Event::Comment(text, placement) => self.comment(&text, placement, span),
            Event::Scalar(text, ScalarStyle::Literal | ScalarStyle::Folded, ..) => {
                // It begins with its first words, and ends where the next line begins.
                let blank = text.chars().take_while(|c| *c == '\n').count();
                let head = span.start.line().saturating_sub(blank + 1);
                let text = text.into_owned();
                let is_plain = false;
                self.scalar(Scalar { text, is_plain }, head);
                self.last_line = span.end.line().saturating_sub(1);
            }
            Event::Scalar(text, style, ..) => {
                let is_plain = style == ScalarStyle::Plain;
                let text = text.into_owned();
                self.scalar(Scalar { text, is_plain }, span.start.line());
                self.last_line = span.end.line();
            }
            Event::SequenceStart(style, ..) => self.start(false, is_flow(style), span)?,
            Event::MappingStart(style, ..) => self.start(true, is_flow(style), span)?,
            Event::SequenceEnd | Event::MappingEnd => self.end(span),
            _ => {}
        }
        Ok(())
    }

    fn comment(&mut self, text: &str, placement: Placement, span: &Span) {
        let comment = Comment {
            text: format!("#{}", text.trim_end()),
            is_apart: self.is_apart(span.start.line()),
            column: span.start.col(),
        };
        // The comment behind the `|` of a block scalar comes after the scalar. One behind a lone
        // `-` has nothing on its line that it could belong to.
        let is_behind = placement == Placement::Right && span.start.line() <= self.last_line;
        match self.last_entry() {
            Some(entry) if is_behind && entry.right.is_none() => entry.right = Some(comment.text),
            Some(entry) if is_behind => entry.above.push(comment),
            _ => self.pending.push(comment),
        }
    }

    /// The entry that was read last, completely or not.
    fn last_entry(&mut self) -> Option<&mut Entry> {
        let Some(open) = self.open.last_mut() else {
            return self.root.as_mut();
        };
        let last = open.waiting.as_mut().or(open.block.entries.last_mut());
        Some(last.unwrap_or(&mut open.owner))
    }

    fn is_apart(&self, line: usize) -> bool {
        let above = line.checked_sub(2);
        above.is_some_and(|index| self.is_empty.get(index) == Some(&true))
    }

    fn scalar(&mut self, scalar: Scalar, line: usize) {
        let is_key =
            matches!(self.open.last(), Some(open) if open.is_map && open.waiting.is_none());
        let mut entry = self.begin(line, true);
        if is_key {
            entry.key = Some(scalar);
            if let Some(open) = self.open.last_mut() {
                open.waiting = Some(entry);
            }
        } else {
            entry.value = Value::Scalar(scalar);
            self.close(entry);
        }
    }

    fn start(&mut self, is_map: bool, is_flow: bool, span: &Span) -> Result<(), Problem> {
        let parent = self.open.last();
        if matches!(parent, Some(open) if open.is_map && open.waiting.is_none()) {
            let message = "a list or mapping as a key has no canonical layout; use a plain key";
            return Err(Problem::new(message, Some(mark(&span.start, 1))));
        }
        // Comments between a key and its block belong to the first thing in the block.
        let takes_comments = is_flow || matches!(parent, Some(open) if !open.is_map);
        let owner = self.begin(span.start.line(), takes_comments);
        self.open.push(Open {
            owner,
            block: Block {
                column: span.start.col(),
                is_flow,
                ..Block::default()
            },
            is_map,
            waiting: None,
        });
        if is_flow {
            self.last_line = span.end.line();
        }
        Ok(())
    }

    /// The entry that a key, item or value belongs to, with the comments above it.
    fn begin(&mut self, line: usize, takes_comments: bool) -> Entry {
        let is_apart = self.is_apart(line);
        let Some(open) = self.open.last_mut() else {
            let above = if takes_comments {
                std::mem::take(&mut self.pending)
            } else {
                Vec::new()
            };
            return Entry {
                above,
                ..Entry::default()
            };
        };
        if let Some(mut entry) = open.waiting.take() {
            if takes_comments {
                entry.above.append(&mut self.pending);
            }
            return entry;
        }
        let Some(last) = open.block.entries.last_mut() else {
            return self.begin_first(is_apart);
        };
        if !open.block.is_flow {
            tuck_all(&mut self.pending, last, open.block.column + 1);
        }
        Entry {
            above: std::mem::take(&mut self.pending),
            is_apart,
            ..Entry::default()
        }
    }

    /// The first entry of a block: empty lines above it say nothing, other than that the comments
    /// at the top of the text belong to the whole.
    fn begin_first(&mut self, is_apart: bool) -> Entry {
        let mut above = std::mem::take(&mut self.pending);
        if let [root] = self.open.as_mut_slice()
            && !root.block.is_flow
        {
            let gap = above.iter().rposition(|comment| comment.is_apart);
            let end = if is_apart { Some(above.len()) } else { gap };
            root.owner.above.extend(above.drain(..end.unwrap_or(0)));
        }
        Entry {
            is_apart: is_apart && !above.is_empty(),
            above,
            ..Entry::default()
        }
    }

    /// Ends the list or mapping that was opened last.
    fn end(&mut self, span: &Span) {
        let Some(Open {
            mut owner,
            mut block,
            is_map,
            ..
        }) = self.open.pop()
        else {
            return;
        };
        if block.is_flow {
            self.last_line = span.end.line();
            // What is left empty has no lines for comments.
            let home = if block.entries.is_empty() {
                &mut owner.above
            } else {
                &mut block.tail
            };
            home.append(&mut self.pending);
        }
        owner.value = if is_map {
            Value::Map(block)
        } else {
            Value::List(block)
        };
        self.close(owner);
    }

    /// Puts a complete entry where it belongs.
    fn close(&mut self, entry: Entry) {
        match self.open.last_mut() {
            Some(open) => open.block.entries.push(entry),
            None => self.root = Some(entry),
        }
    }

    fn finish(mut self) -> Entry {
        let mut root = self.root.unwrap_or_default();
        tuck_all(&mut self.pending, &mut root, 0);
        match &mut root.value {
            Value::List(block) | Value::Map(block) => block.tail.append(&mut self.pending),
            Value::Scalar(_) => root.above.append(&mut self.pending),
        }
        root
    }
}

/// Moves the comments that are indented like something inside the entry before them to its end,
/// as far as they come before one that is not.
fn tuck_all(comments: &mut Vec<Comment>, last: &mut Entry, column: usize) {
    let mut depths = Vec::new();
    let mut deepest = usize::MAX;
    for comment in comments
        .iter()
        .take_while(|comment| comment.column >= column)
    {
        // Not deeper than the one before, or they would change places.
        let Some(depth) = depth_of(last, comment.column, deepest) else {
            break;
        };
        deepest = depth;
        depths.push(depth);
    }
    for (comment, depth) in comments.drain(..depths.len()).zip(depths) {
        tuck(last, comment, depth);
    }
}

/// The number of blocks one has to enter to find the innermost one that stands at or left of a
/// column.
fn depth_of(entry: &Entry, column: usize, deepest: usize) -> Option<usize> {
    match &entry.value {
        Value::List(block) | Value::Map(block)
            if deepest > 0 && !block.is_flow && block.column <= column =>
        {
            let last = block.entries.last();
            let inner = last.and_then(|last| depth_of(last, column, deepest - 1));
            Some(inner.map_or(1, |depth| depth + 1))
        }
        _ => None,
    }
}

fn tuck(entry: &mut Entry, comment: Comment, depth: usize) {
    if let Value::List(block) | Value::Map(block) = &mut entry.value {
        match block.entries.last_mut() {
            Some(last) if depth > 1 => tuck(last, comment, depth - 1),
            _ => block.tail.push(comment),
        }
    }
}
