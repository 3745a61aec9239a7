//! A request for programs: the same object that the API of the inbox has.

use std::io;

use aegize::ApprovalRequest;
use serde_json::Value;

pub(super) fn request(request: &ApprovalRequest) -> io::Result<Value> {
    Ok(serde_json::to_value(aegize_inbox::request_view(request))?)
}

pub(super) fn requests(requests: &[ApprovalRequest]) -> io::Result<Vec<Value>> {
    requests.iter().map(request).collect()
}
