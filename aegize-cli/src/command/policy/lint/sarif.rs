//! Findings as SARIF 2.1.0, which code review tools show beside the lines.

use std::fmt::Write as _;
use std::path::Path;

use aegize::{Finding, FindingCode, Place};
use serde_json::{Value, json};

use crate::command::policy::call_json;

/// One run of this tool. What has no place of its own is told of the first line of a file.
pub(super) fn log(findings: &[Finding], file: &Path) -> Value {
    let rules = FindingCode::ALL.map(|code| {
        json!({
            "id": code.as_str(),
            "shortDescription": { "text": code.summary() },
            "help": { "text": code.remedy() },
            "defaultConfiguration": { "level": code.severity().as_str() },
        })
    });
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {
                "driver": {
                    "name": "aegize",
                    "version": env!("CARGO_PKG_VERSION"),
                    "informationUri": env!("CARGO_PKG_REPOSITORY"),
                    "rules": rules,
                },
            },
            "results": findings.iter().map(|finding| result(finding, file)).collect::<Vec<_>>(),
        }],
    })
}

fn result(finding: &Finding, file: &Path) -> Value {
    let code = finding.code();
    let message = match finding.rule() {
        Some(rule) => format!("`{rule}`: {}", finding.message()),
        None => finding.message().to_owned(),
    };
    let related = finding.related().iter().zip(1..).map(|(related, id)| {
        json!({
            "id": id,
            "message": { "text": related.rule() },
            "physicalLocation": location(related.place(), file),
        })
    });
    json!({
        "ruleId": code.as_str(),
        "ruleIndex": FindingCode::ALL.iter().position(|known| *known == code),
        "level": finding.severity().as_str(),
        "message": { "text": message },
        "locations": [{ "physicalLocation": location(finding.place(), file) }],
        "relatedLocations": related.collect::<Vec<_>>(),
        "properties": { "witness": finding.witness().map(call_json) },
    })
}

fn location(place: &Place, file: &Path) -> Value {
    json!({
        "artifactLocation": { "uri": uri(place.file().unwrap_or(file)) },
        "region": { "startLine": place.line().unwrap_or(1) },
    })
}

/// A path as a reference that is a URI (RFC 3986).
fn uri(path: &Path) -> String {
    let path = path.to_string_lossy().replace('\\', "/");
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'.' | b'_' | b'~') {
            uri.push(char::from(byte));
        } else {
            // Writing to a string does not fail.
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri
}
