//! The attribute on the functions that people write: nothing about them changes but that they
//! ask first.

use std::cell::RefCell;
use std::fmt::Display;
use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use aegize::{GuardError, GuardFutureExt, guarded_tool, with_context};

use crate::support::World;

#[derive(Debug, thiserror::Error)]
enum ToolError {
    #[error(transparent)]
    Guard(#[from] GuardError),
    #[error(transparent)]
    Number(#[from] std::num::ParseIntError),
    #[error("empty")]
    Empty,
}

#[guarded_tool(tool_name = "t", operation = "sync")]
fn early(text: &str) -> Result<i32, ToolError> {
    if text.is_empty() {
        return Err(ToolError::Empty);
    }
    let number: i32 = text.parse()?;
    Ok(number)
}

#[guarded_tool(tool_name = "t", operation = "async")]
async fn early_async(text: &str) -> Result<i32, ToolError> {
    if text.is_empty() {
        return Err(ToolError::Empty);
    }
    std::future::ready(()).await;
    Ok(text.parse::<i32>()?)
}

/// An alias is as good.
type Alias<T> = Result<T, ToolError>;

#[guarded_tool(tool_name = "t", operation = "alias")]
fn alias(n: u8) -> Alias<u8> {
    Ok(n)
}

#[guarded_tool(tool_name = "t", operation = "generic")]
fn generic<'a, T, const N: usize>(items: [T; N], most: &'a T) -> Result<(usize, &'a T), String>
where
    T: Display + PartialOrd,
{
    Ok((items.iter().filter(|item| *item < most).count(), most))
}

#[guarded_tool(tool_name = "t", operation = "opaque")]
fn opaque(n: u32) -> Result<impl Iterator<Item = u32>, GuardError> {
    Ok((0..n).map(|n| n * n))
}

#[guarded_tool(tool_name = "t", operation = "unsized")]
fn boxed(n: u32) -> Result<Box<dyn Display>, GuardError> {
    if n == 0 {
        return Ok(Box::new("zero"));
    }
    Ok(Box::new(n))
}

#[guarded_tool(tool_name = "t", operation = "unsized")]
async fn boxed_async(n: u32) -> Result<Box<dyn Display>, GuardError> {
    if n == 0 {
        return Ok(Box::new("zero"));
    }
    Ok(Box::new(n))
}

struct Point {
    x: i32,
    y: i32,
}

struct Wrapped<T>(T);

#[guarded_tool(tool_name = "t", operation = "patterns")]
fn patterns(
    (a, b): (i32, i32),
    Point { x, y: z }: Point,
    Wrapped(request): Wrapped<&str>,
    mut sum: i32,
    _: u8,
    r#type: u8,
) -> Result<i32, String> {
    sum += a + b + x + z + i32::from(r#type);
    Ok(sum + i32::try_from(request.len()).map_err(|error| error.to_string())?)
}

#[guarded_tool(tool_name = "t", operation = "patterns")]
async fn patterns_async((a, b): (i32, i32), [c, ..]: [i32; 3]) -> Result<i32, String> {
    Ok(a + b + c)
}

#[guarded_tool(tool_name = "t", operation = "recursive")]
fn factorial(n: u64) -> Result<u64, GuardError> {
    if n == 0 {
        Ok(1)
    } else {
        Ok(n * factorial(n - 1)?)
    }
}

#[derive(Default)]
struct Vault {
    keys: Vec<String>,
}

impl Vault {
    #[guarded_tool(tool_name = "t", operation = "by_ref")]
    fn first(&self) -> Result<&str, ToolError> {
        self.keys
            .first()
            .map(String::as_str)
            .ok_or(ToolError::Empty)
    }

    #[guarded_tool(tool_name = "t", operation = "by_mut")]
    fn first_mut(&mut self) -> Result<&mut String, ToolError> {
        self.keys.first_mut().ok_or(ToolError::Empty)
    }

    #[guarded_tool(tool_name = "t", operation = "by_mut_async")]
    async fn rotate(
        &mut self,
        key: &str,
        #[guard(redact)] secret: String,
    ) -> anyhow::Result<usize> {
        self.keys.insert(0, format!("{key}={secret}"));
        Ok(self.keys.len())
    }

    #[guarded_tool(tool_name = "t", operation = "by_value")]
    fn into_keys(self) -> Result<Vec<String>, GuardError> {
        Ok(self.keys)
    }

    #[guarded_tool(tool_name = "t", operation = "associated")]
    fn with(keys: &[&str]) -> Result<Self, GuardError> {
        Ok(Self {
            keys: keys.iter().map(ToString::to_string).collect(),
        })
    }
}

trait Clock {
    fn now(&self) -> Result<u64, String>;

    async fn later(&self, by: u64) -> Result<u64, String>;

    #[guarded_tool(tool_name = "t", operation = "provided")]
    fn twice(&self) -> Result<u64, String> {
        Ok(self.now()? * 2)
    }
}

impl Clock for u64 {
    #[guarded_tool(tool_name = "t", operation = "trait")]
    fn now(&self) -> Result<u64, String> {
        Ok(*self)
    }

    #[guarded_tool(tool_name = "t", operation = "trait_async")]
    async fn later(&self, by: u64) -> Result<u64, String> {
        Ok(*self + by)
    }
}

thread_local! {
    static STEPS: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) };
}

fn step(step: &'static str) {
    STEPS.with_borrow_mut(|steps| steps.push(step));
}

#[guarded_tool(tool_name = "t", operation = "future")]
fn future(n: u8) -> impl Future<Output = Result<u8, GuardError>> {
    step("made");
    async move {
        step("polled");
        Ok(n)
    }
}

#[guarded_tool(tool_name = "t", operation = "boxed_future")]
fn boxed_future<'a>(
    n: &'a u8,
) -> Pin<Box<dyn Future<Output = Result<u8, GuardError>> + Send + 'a>> {
    step("made");
    Box::pin(async move { Ok(*n) })
}

#[test]
fn functions_of_every_shape_do_what_they_say() {
    let world = World::permissive();
    with_context(&world.context, || {
        assert_eq!(early("7").unwrap(), 7);
        assert!(matches!(early(""), Err(ToolError::Empty)));
        assert!(matches!(early("x"), Err(ToolError::Number(_))));
        assert_eq!(alias(3).unwrap(), 3);
        assert_eq!(generic([1, 2, 4], &3), Ok((2, &3)));
        assert_eq!(opaque(3).unwrap().sum::<u32>(), 5);
        assert_eq!(
            boxed(0).unwrap().to_string() + &boxed(1).unwrap().to_string(),
            "zero1"
        );
        let point = Point { x: 4, y: 8 };
        assert_eq!(patterns((1, 2), point, Wrapped("four"), 16, 0, 32), Ok(67));
        assert_eq!(factorial(5).unwrap(), 120);
        let mut vault = Vault::with(&["a"]).unwrap();
        vault.first_mut().unwrap().push('b');
        assert_eq!(vault.first().unwrap(), "ab");
        assert_eq!(
            pollster::block_on(vault.rotate("k", "s".into())).unwrap(),
            2
        );
        assert_eq!(vault.into_keys().unwrap(), ["k=s", "ab"]);
        assert_eq!(5_u64.twice(), Ok(10));
        assert_eq!(pollster::block_on(5_u64.later(2)), Ok(7));
        assert_eq!(pollster::block_on(early_async("7")).unwrap(), 7);
        assert!(matches!(
            pollster::block_on(early_async("")),
            Err(ToolError::Empty)
        ));
        assert!(matches!(
            pollster::block_on(early_async("x")),
            Err(ToolError::Number(_))
        ));
        assert_eq!(
            pollster::block_on(boxed_async(0)).unwrap().to_string(),
            "zero"
        );
        assert_eq!(
            pollster::block_on(patterns_async((1, 2), [4, 8, 16])),
            Ok(7)
        );
    });
    let records = world.records();
    let summary = |operation: &str| {
        let record = records.iter().find(|record| record.operation == operation);
        record.unwrap().input_summary.clone().into_owned()
    };
    assert_eq!(
        summary("patterns"),
        "a=1, b=2, x=4, z=8, request=\"four\", sum=16, type=32"
    );
    assert_eq!(summary("by_mut_async"), "key=\"k\", secret=[redacted]");
    assert!(!world.text().contains("k=s\""), "a secret in the log");
}

#[test]
fn what_is_refused_does_not_even_begin() {
    let world = World::new("agents: {bot: {}}");
    assert!(pollster::block_on(future(1).with_context(&world.context)).is_err());
    assert!(pollster::block_on(boxed_future(&1).with_context(&world.context)).is_err());
    assert_eq!(STEPS.take(), [""; 0]);
    let world = World::permissive();
    let made = future(1);
    assert_eq!(
        STEPS.take(),
        [""; 0],
        "nothing happens before the first poll"
    );
    assert_eq!(
        pollster::block_on(made.with_context(&world.context)).unwrap(),
        1
    );
    assert_eq!(
        pollster::block_on(boxed_future(&2).with_context(&world.context)).unwrap(),
        2
    );
    assert_eq!(STEPS.take(), ["made", "polled", "made"]);
}

#[test]
#[expect(
    clippy::large_types_passed_by_value,
    reason = "the size of the argument is the point"
)]
fn a_guarded_future_is_send_when_the_plain_one_is_and_hardly_larger() {
    async fn plain(bytes: [u8; 1024], pause: bool) -> Result<u8, GuardError> {
        if pause {
            std::future::pending::<()>().await;
        }
        Ok(bytes[0])
    }
    #[guarded_tool(tool_name = "t", operation = "large")]
    async fn guarded(bytes: [u8; 1024], pause: bool) -> Result<u8, GuardError> {
        if pause {
            std::future::pending::<()>().await;
        }
        Ok(bytes[0])
    }
    fn is_send<T: Send>(value: T) -> T {
        value
    }
    let (plain, guarded) = (
        is_send(plain([1; 1024], true)),
        is_send(guarded([1; 1024], true)),
    );
    let (plain_size, guarded_size) = (size_of_val(&plain), size_of_val(&guarded));
    assert!(
        guarded_size <= plain_size + 128,
        "{plain_size} became {guarded_size}"
    );
    let world = World::permissive();
    let mut guarded = pin!(guarded.with_context(&world.context));
    let mut context = Context::from_waker(Waker::noop());
    assert!(matches!(guarded.as_mut().poll(&mut context), Poll::Pending));
}

#[test]
fn parameters_live_as_long_as_in_a_plain_function() {
    struct Noisy(&'static str);

    impl Drop for Noisy {
        fn drop(&mut self) {
            step(self.0);
        }
    }

    macro_rules! tool {
        ($(#[$attribute:meta])* $name:ident) => {
            $(#[$attribute])*
            async fn $name(
                first: Noisy,
                second: Noisy,
            ) -> Result<(), GuardError> {
                let _local = Noisy("local");
                let _ = &first;
                std::future::ready(()).await;
                step("body");
                drop(second);
                Ok(())
            }
        };
    }
    tool!(plain);
    tool!(
        #[guarded_tool(tool_name = "t", operation = "noisy")]
        guarded
    );
    pollster::block_on(plain(Noisy("first"), Noisy("second"))).unwrap();
    let expected = STEPS.take();
    let world = World::permissive();
    pollster::block_on(guarded(Noisy("first"), Noisy("second")).with_context(&world.context))
        .unwrap();
    assert_eq!(STEPS.take(), expected);
    assert_eq!(expected, ["body", "second", "local", "first"]);
}
