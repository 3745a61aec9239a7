//! A payment that waits for a person, who decides in another process, or here.
//!
//!     cargo run --example approved_payment              # plays both sides
//!     cargo run --example approved_payment -- --wait    # waits for you

use std::error::Error;
use std::fs;
use std::path::Path;
use std::thread;

use aegize::{
    AgentIdentity, ApprovalQuery, ApprovalState, Approvals, Approver, AuditLog, GuardContext,
    GuardError, PermissionPolicy, guarded_tool, with_context,
};
use aegize_store::Store;

#[guarded_tool(tool_name = "payments", operation = "refund", risk_level = "high")]
fn refund(customer: &str, amount: u32) -> Result<String, GuardError> {
    Ok(format!("{amount} paid to {customer}"))
}

const POLICY: &str = "
agents:
  support_bot:
    require_approval:
      - {tool: payments, operations: [refund], reason: money leaves, expires_in: 10m}
";

fn main() -> Result<(), Box<dyn Error>> {
    let is_for_you = std::env::args().any(|argument| argument == "--wait");
    let directory = Path::new("target/approved_payment");
    if !is_for_you && directory.exists() {
        // Yours would go on where it was.
        fs::remove_dir_all(directory)?;
    }
    fs::create_dir_all(directory)?;
    let url = format!("sqlite://{}/approvals.db", directory.display());
    let audit_log = AuditLog::open(directory.join("audit.jsonl"))?;
    let approvals = Approvals::new(pollster::block_on(Store::open(&url))?);
    let context = GuardContext::new(
        AgentIdentity::new("support_bot", "Support Bot", "Acme")?,
        PermissionPolicy::from_yaml_str(POLICY)?,
        audit_log.clone(),
    )
    .approvals(approvals.clone());
    let waiting = context.wait_until_answered();

    if is_for_you {
        let places = format!(
            "--store {url} --audit-log {}/audit.jsonl",
            directory.display()
        );
        println!("a refund of 50 waits for you. In another terminal, one of\n");
        println!("    aegize approvals watch --prompt {places}");
        println!("    aegize serve {places}\n");
        match with_context(&waiting, || refund("a-customer", 50)) {
            Ok(told) => println!("{told}"),
            Err(refusal) => println!("not paid: {refusal}"),
        }
        return Ok(());
    }

    // The agent's side. The call waits, and is made when it may be.
    let agent = thread::spawn(move || with_context(&waiting, || refund("a-customer", 50)));

    // The other side, which could be another process on this store: `aegize approvals`, say.
    let desk = approvals.desk(&audit_log);
    let alice = Approver::new("alice@acme.com")?;
    pollster::block_on(async {
        let mut query = ApprovalQuery::newest(1);
        query.states = vec![ApprovalState::Requested];
        let mut news = 0;
        let request = loop {
            news = desk.news(news, std::time::Duration::from_secs(1)).await?;
            if let Some(request) = desk.requests(&query).await?.requests.pop() {
                break request;
            }
        };
        let question = request.question();
        println!("asked:    {} ({})", question.input_summary, question.reason);
        desk.approve(request.id(), &alice, Some("as agreed")).await
    })?;
    let told = agent.join().map_err(|_| "the agent panicked")??;
    println!("approved: {told}");

    // Another amount is another call, and so is the same once more.
    for amount in [5000, 50] {
        match with_context(&context, || refund("a-customer", amount)) {
            Err(GuardError::ApprovalRequired(pending)) => {
                println!("{amount} again: asked about as {}", pending.request_id());
            }
            other => return Err(format!("it was not approved: {other:?}").into()),
        }
    }
    Ok(())
}
