//! The attribute on the functions that people write less often.

use std::convert::Infallible;
use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;

use aegize::{AuditEvent, GuardError, GuardFutureExt, guarded_tool, with_context};

use crate::support::World;

struct Counter {
    step: u32,
}

impl Counter {
    #[guarded_tool(tool_name = "o", operation = "arc", args(step = self.step))]
    fn shared(self: Arc<Self>, n: u32) -> Result<u32, GuardError> {
        Ok(self.step + n)
    }

    #[guarded_tool(tool_name = "o", operation = "arc_async")]
    async fn shared_async(self: Arc<Self>, n: u32) -> Result<u32, GuardError> {
        Ok(self.step + n)
    }

    #[guarded_tool(tool_name = "o", operation = "rc_ref")]
    fn borrowed(self: &Rc<Self>) -> Result<usize, GuardError> {
        Ok(Rc::strong_count(self))
    }

    #[guarded_tool(tool_name = "o", operation = "pinned")]
    fn pinned(self: Pin<&mut Self>) -> Result<u32, GuardError> {
        let this = self.get_mut();
        this.step += 1;
        Ok(this.step)
    }

    #[guarded_tool(tool_name = "o", operation = "boxed_self")]
    async fn boxed(mut self: Box<Self>) -> Result<u32, GuardError> {
        self.step *= 2;
        Ok(self.step)
    }
}

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// As `#[async_trait]` writes it.
trait Fetch {
    fn fetch<'life0, 'life1, 'async_trait>(
        &'life0 self,
        url: &'life1 str,
    ) -> BoxFuture<'async_trait, Result<String, String>>
    where
        'life0: 'async_trait,
        'life1: 'async_trait,
        Self: 'async_trait;
}

impl Fetch for Counter {
    #[guarded_tool(tool_name = "o", operation = "async_trait")]
    fn fetch<'life0, 'life1, 'async_trait>(
        &'life0 self,
        url: &'life1 str,
    ) -> Pin<Box<dyn Future<Output = Result<String, String>> + Send + 'async_trait>>
    where
        'life0: 'async_trait,
        'life1: 'async_trait,
        Self: 'async_trait,
    {
        Box::pin(async move {
            if let Some(found) = None::<Result<String, String>> {
                return found;
            }
            let __self = self;
            let answer: Result<String, String> = { Ok(format!("{url}#{}", __self.step)) };
            answer
        })
    }
}

macro_rules! tools {
    ($($operation:literal => $(#[$attribute:meta])* $visibility:vis fn $name:ident($($argument:ident: $ty:ty),*) -> $result:ty $body:block)*) => {
        $(
            #[guarded_tool(tool_name = "o", operation = $operation)]
            $(#[$attribute])*
            $visibility fn $name($($argument: $ty),*) -> $result $body
        )*
    };
}

tools! {
    "from_macro" =>
    /// Adds.
    pub(crate) fn add(left: u8, right: u8) -> Result<u8, String> {
        left.checked_add(right).ok_or_else(|| "too much".to_owned())
    }
    "from_macro_too" =>
    fn negate(value: bool) -> Result<bool, String> { Ok(!value) }
}

#[guarded_tool(tool_name = "o", operation = "inner")]
fn inner_attributes(list: &mut Vec<u8>) -> Result<(), String> {
    #![expect(unused_variables, reason = "the attribute is in the body")]
    let unused = list.len();
    list.push(1);
    Ok(())
}

#[guarded_tool(tool_name = "o", operation = "raw")]
async fn r#loop(r#in: u8, (r#type, r#mod): (u8, u8)) -> Result<u8, String> {
    Ok(r#in + r#type + r#mod)
}

#[guarded_tool(tool_name = "o", operation = "uninhabited")]
fn never(text: &str) -> Result<Infallible, String> {
    Err(format!("{text} fails"))
}

#[guarded_tool(tool_name = "o", operation = "uninhabited")]
async fn never_async(text: &str) -> Result<Infallible, String> {
    text.parse::<u8>().map_err(|error| error.to_string())?;
    Err("always".to_owned())
}

#[guarded_tool(tool_name = "o", operation = "loop")]
fn until_error(mut attempts: u8) -> Result<Infallible, String> {
    loop {
        attempts = attempts.checked_sub(1).ok_or("exhausted")?;
    }
}

#[guarded_tool(tool_name = "o", operation = "cfg")]
fn conditional(
    #[cfg(test)] kept: u8,
    #[cfg(not(test))] kept: &str,
    #[cfg(not(test))] gone: Missing,
) -> Result<u8, String> {
    Ok(kept)
}

#[guarded_tool(tool_name = "o", operation = "cfg")]
async fn conditional_async(
    #[cfg(test)] (a, b): (u8, u8),
    #[cfg(not(test))] gone: Missing,
    _: u8,
) -> Result<u8, String> {
    Ok(a + b)
}

#[guarded_tool(tool_name = "o", operation = "recursive")]
fn depth(n: u8) -> BoxFuture<'static, Result<u8, GuardError>> {
    Box::pin(async move {
        if n == 0 {
            return Ok(0);
        }
        Ok(depth(n - 1).await? + 1)
    })
}

#[guarded_tool(tool_name = "o", operation = "recursive")]
async fn countdown(n: u8) -> Result<u8, GuardError> {
    if n == 0 {
        return Ok(0);
    }
    Ok(Box::pin(countdown(n - 1)).await? + 1)
}

#[guarded_tool(tool_name = "o", operation = "impl_trait")]
async fn shown(
    value: impl Debug + Send,
    items: impl IntoIterator<Item = u8>,
) -> Result<String, GuardError> {
    Ok(format!("{value:?} {}", items.into_iter().count()))
}

trait Pager {
    const SIZE: usize;

    fn text(&self) -> &str;

    #[guarded_tool(tool_name = "o", operation = "provided_async")]
    async fn page(&self, number: usize) -> Result<&str, String> {
        let start = number * Self::SIZE;
        let text = self.text().get(start..).ok_or("no such page")?;
        Ok(text.get(..Self::SIZE).unwrap_or(text))
    }
}

impl Pager for String {
    const SIZE: usize = 2;

    fn text(&self) -> &str {
        self
    }
}

#[guarded_tool(tool_name = "o", operation = "opaque_async")]
async fn letters<'a, const N: usize, T>(
    texts: [&'a T; N],
    kept: &char,
) -> Result<impl Iterator<Item = char> + use<'a, N, T>, GuardError>
where
    T: AsRef<str> + ?Sized,
{
    let kept = *kept;
    std::future::ready(()).await;
    let letters = texts.into_iter().flat_map(|text| text.as_ref().chars());
    Ok(letters.filter(move |letter| *letter == kept))
}

/// Names that the expansion has, too.
#[guarded_tool(tool_name = "o", operation = "names", args(entry = permit + 1))]
async fn names(
    permit: u8,
    result: u8,
    (returned, value): (u8, u8),
    start: &[u8],
) -> Result<usize, String> {
    const SITE: u8 = 1;
    const TOOL: u8 = 2;
    let sum = permit + result + returned + value + SITE + TOOL;
    Ok(start.len() + usize::from(sum))
}

#[test]
fn asynchronous_functions_of_other_shapes() {
    let world = World::permissive();
    with_context(&world.context, || {
        let text = "abcde".to_owned();
        assert_eq!(pollster::block_on(text.page(2)), Ok("e"));
        assert!(pollster::block_on(text.page(3)).is_err());
        let found = pollster::block_on(letters(["abba", "a"], &'a')).unwrap();
        assert_eq!(found.count(), 3);
        assert_eq!(pollster::block_on(names(1, 2, (4, 8), &[0])), Ok(19));
    });
    assert_eq!(
        world.records().last().unwrap().input_summary,
        "permit=1, result=2, returned=4, value=8, start=[0], entry=2"
    );
}

#[test]
fn receivers_of_every_kind() {
    let world = World::permissive();
    let counter = |step| Counter { step };
    with_context(&world.context, || {
        assert_eq!(Arc::new(counter(1)).shared(2).unwrap(), 3);
        let call = Arc::new(counter(1)).shared_async(3);
        assert_eq!(pollster::block_on(call).unwrap(), 4);
        assert_eq!(Rc::new(counter(1)).borrowed().unwrap(), 1);
        assert_eq!(Pin::new(&mut counter(1)).pinned().unwrap(), 2);
        assert_eq!(pollster::block_on(Box::new(counter(3)).boxed()).unwrap(), 6);
    });
    assert_eq!(world.records()[0].input_summary, "n=2, step=1");
}

#[test]
fn boxed_futures_as_traits_return_them() {
    let world = World::permissive();
    let fetch: &dyn Fetch = &Counter { step: 7 };
    let call = fetch.fetch("a").with_context(&world.context);
    assert_eq!(pollster::block_on(call), Ok("a#7".to_owned()));
    assert_eq!(world.records()[0].input_summary, "url=\"a\"");
    assert!(pollster::block_on(fetch.fetch("a")).is_err(), "no context");
}

#[test]
fn functions_that_macros_write() {
    let world = World::permissive();
    with_context(&world.context, || {
        assert_eq!(add(1, 2), Ok(3));
        assert_eq!(negate(true), Ok(false));
    });
    let records = world.records();
    assert_eq!(records[0].operation, "from_macro");
    assert_eq!(records[0].input_summary, "left=1, right=2");
}

#[test]
fn attributes_names_and_conditions() {
    let world = World::permissive();
    with_context(&world.context, || {
        let mut list = Vec::new();
        inner_attributes(&mut list).unwrap();
        assert_eq!(list, [1]);
        assert_eq!(pollster::block_on(r#loop(1, (2, 4))), Ok(7));
        assert_eq!(conditional(3), Ok(3));
        assert_eq!(pollster::block_on(conditional_async((1, 2), 0)), Ok(3));
        assert_eq!(pollster::block_on(shown("x", [1, 2])).unwrap(), "\"x\" 2");
    });
    let summaries: Vec<String> = world
        .records()
        .iter()
        .filter(|record| record.event == AuditEvent::Allowed)
        .map(|record| record.input_summary.clone().into_owned())
        .collect();
    assert_eq!(summaries[1], "in=1, type=2, mod=4");
    assert_eq!(summaries[2], "kept=3");
    assert_eq!(summaries[3], "a=1, b=2");
}

#[test]
fn tools_that_only_fail() {
    let world = World::permissive();
    with_context(&world.context, || {
        assert_eq!(never("it").unwrap_err(), "it fails");
        assert_eq!(pollster::block_on(never_async("1")).unwrap_err(), "always");
        assert_eq!(until_error(3).unwrap_err(), "exhausted");
    });
    let failed = [AuditEvent::Allowed, AuditEvent::ExecutionFailed].repeat(3);
    assert_eq!(world.events(), failed);
}

#[test]
fn recursion_asks_at_every_level() {
    let world = World::permissive();
    let call = depth(2).with_context(&world.context);
    assert_eq!(pollster::block_on(call).unwrap(), 2);
    let call = countdown(2).with_context(&world.context);
    assert_eq!(pollster::block_on(call).unwrap(), 2);
    let once = [
        [AuditEvent::Allowed; 3],
        [AuditEvent::ExecutionSucceeded; 3],
    ]
    .concat();
    assert_eq!(world.events(), once.repeat(2));
}
