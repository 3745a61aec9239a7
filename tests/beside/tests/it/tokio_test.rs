//! A test that is a tool, in either order with `#[tokio::test]`.

use aegize::{GuardError, guarded_tool, with_context};

use crate::support::{DENIED, World};

#[tokio::test]
#[ignore = "a tool, called below"]
#[guarded_tool(tool_name = "probe", operation = "run")]
async fn test_first() -> Result<(), GuardError> {
    tokio::task::yield_now().await;
    Ok(())
}

#[guarded_tool(tool_name = "probe", operation = "run")]
#[tokio::test]
#[ignore = "a tool, called below"]
async fn test_last() -> Result<(), GuardError> {
    tokio::task::yield_now().await;
    Ok(())
}

#[tokio::test]
#[ignore = "a tool, called below"]
#[guarded_tool(tool_name = "denied", operation = "run")]
async fn denied_first() -> Result<(), GuardError> {
    panic!("the body runs")
}

#[guarded_tool(tool_name = "denied", operation = "run")]
#[tokio::test]
#[ignore = "a tool, called below"]
async fn denied_last() -> Result<(), GuardError> {
    panic!("the body runs")
}

#[test]
fn a_test_runs_if_it_may() {
    let world = World::new();
    for test in [test_first, test_last] {
        with_context(&world.context, test).unwrap();
    }
    for test in [denied_first, denied_last] {
        let refused = with_context(&world.context, test).unwrap_err();
        assert_eq!(refused.to_string(), DENIED);
    }
    assert_eq!(
        world.log(),
        [
            "allowed probe()",
            "execution_succeeded probe()",
            "allowed probe()",
            "execution_succeeded probe()",
            "denied denied()",
            "denied denied()",
        ]
    );
}
