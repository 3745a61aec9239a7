//! Implementations of an `#[async_trait]`, with the attribute on the method.

use aegize::{GuardError, GuardFutureExt, guarded_tool};
use async_trait::async_trait;
use serde::Serialize;

use crate::support::{DENIED, World};

#[derive(Serialize)]
struct Letter {
    to: String,
}

#[async_trait]
trait Post: Send + Sync {
    async fn send(
        &self,
        letter: Letter,
        copies: u8,
        marks: (char, char),
    ) -> Result<String, GuardError>;
    async fn burn(&mut self, name: &str) -> Result<(), GuardError>;
}

struct Office {
    burnt: bool,
}

#[async_trait]
impl Post for Office {
    #[guarded_tool(tool_name = "post", operation = "send")]
    async fn send(
        &self,
        mut letter: Letter,
        copies: u8,
        #[guard(skip)] (stamp, seal): (char, char),
    ) -> Result<String, GuardError> {
        tokio::task::yield_now().await;
        letter.to.insert(0, stamp);
        letter.to.push(seal);
        Ok(format!("{copies} to {}", letter.to))
    }

    #[guarded_tool(tool_name = "denied", operation = "burn")]
    async fn burn(&mut self, _name: &str) -> Result<(), GuardError> {
        self.burnt = true;
        Ok(())
    }
}

#[tokio::test]
async fn arguments_have_the_names_that_the_method_gives_them() {
    let world = World::new();
    let office: Box<dyn Post> = Box::new(Office { burnt: false });
    let letter = Letter { to: "ann".into() };
    let sent = office
        .send(letter, 2, ('<', '>'))
        .with_context(&world.context);
    assert_eq!(sent.await.unwrap(), "2 to <ann>");
    let arguments = r#"letter={"to":"ann"}, copies=2"#;
    assert_eq!(
        world.log(),
        [
            format!("allowed post({arguments})"),
            format!("execution_succeeded post({arguments})"),
        ]
    );
}

#[tokio::test]
async fn a_refused_method_does_not_run() {
    let world = World::new();
    let mut office = Office { burnt: false };
    let burnt = office.burn("ledger").with_context(&world.context).await;
    assert_eq!(burnt.unwrap_err().to_string(), DENIED);
    assert!(!office.burnt);
    assert_eq!(world.log(), [r#"denied denied(_name="ledger")"#]);
}

#[tokio::test]
async fn the_decision_is_made_when_the_future_is_polled() {
    let world = World::new();
    let mut office = Office { burnt: false };
    drop(office.burn("ledger").with_context(&world.context));
    assert_eq!(world.log(), [""; 0]);
}
