//! The examples of the repository, which users of the Python package know.

use std::path::Path;

use crate::support::{Ran, aegize};

#[test]
fn the_eleven_cases_pass() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let arguments = ["policy", "test", "aegize.yaml", "policy_tests.yaml"];
    let ran: Ran = aegize(&examples).args(arguments).output().unwrap().into();
    let expected = "\
PASS  a web search is allowed  (expected allow)
PASS  a search at the risk ceiling is allowed  (expected allow)
PASS  a search above the risk ceiling is denied  (expected deny)
PASS  reading inside the allowed directory is allowed  (expected allow)
PASS  reading outside the allowed directory is denied  (expected deny)
PASS  sending email needs approval  (expected require_approval)
PASS  running a shell command needs approval  (expected require_approval)
PASS  charging a card is denied by a rule  (expected deny)
PASS  deleting through the shell is denied by a rule  (expected deny)
PASS  an unknown agent is denied  (expected deny)
PASS  an operation that no rule lists is denied  (expected deny)

11 passed, 0 failed
";
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), (expected, ""));
    assert_eq!(ran.code, Some(0));
}
