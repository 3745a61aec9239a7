//! A second reading of the policy's meaning: rule by rule, in the order of the file, straight from
//! its values.

use aegize::{Decision, ToolAction};
use serde_json::{Value, json};

#[derive(Clone, Copy, PartialEq, Debug)]
enum Truth {
    Yes,
    No,
    Unknown,
}
use Truth::{No, Unknown, Yes};

fn truth(holds: bool) -> Truth {
    if holds { Yes } else { No }
}

pub(super) fn judge(policy: &Value, action: &ToolAction) -> (Decision, Option<String>) {
    let agent = &policy["agents"]["bot"];
    let mut owners = vec![("bot".to_owned(), None, agent)];
    for role in agent["roles"].as_array().unwrap() {
        let role = role.as_str().unwrap();
        owners.push((format!("roles.{role}"), None, &policy["roles"][role]));
    }
    for (prefix, overlays) in [
        ("bot.", &agent["environments"]),
        ("", &policy["environments"]),
    ] {
        for (environment, sections) in overlays.as_object().unwrap() {
            let name = format!("{prefix}environments.{environment}");
            owners.push((name, Some(environment.as_str()), sections));
        }
    }
    for (section, decision) in [
        ("deny", Decision::Deny),
        ("require_approval", Decision::RequireApproval),
        ("allow", Decision::Allow),
    ] {
        let applying = |section: &'static str| {
            let owners = owners.iter();
            owners.flat_map(move |(name, environment, sections)| {
                let rules = sections[section].as_array().into_iter().flatten();
                let only_tightens = environment.is_some() && sections["widens"] != json!(true);
                rules
                    .enumerate()
                    .filter(move |(_, rule)| {
                        applies(rule, section == "allow", *environment, action)
                    })
                    .map(move |(index, _)| (format!("{name}.{section}[{index}]"), only_tightens))
            })
        };
        let Some((rule, _)) = applying(section).next() else {
            continue;
        };
        let opens_nothing = section == "require_approval"
            && applying(section).all(|(_, only_tightens)| only_tightens)
            && applying("allow").next().is_none();
        if !opens_nothing {
            return (decision, Some(rule));
        }
    }
    (Decision::Deny, None)
}

fn applies(rule: &Value, is_allow: bool, environment: Option<&str>, action: &ToolAction) -> bool {
    let here = action.metadata.get("environment").and_then(Value::as_str);
    let is_there = match (environment, here) {
        (None, _) => true,
        (Some(wanted), Some(here)) => wanted == here,
        (Some(_), None) => !is_allow,
    };
    let operations = rule["operations"].as_array();
    let is_covered = glob(rule["tool"].as_str().unwrap(), &action.tool_name)
        && operations.is_none_or(|list| {
            list.iter()
                .any(|pattern| glob(pattern.as_str().unwrap(), &action.operation))
        });
    if !is_there || !is_covered {
        return false;
    }
    if is_allow {
        return proved(rule, action);
    }
    let is_risky = rule["risk_level_min"]
        .as_str()
        .is_none_or(|min| action.risk_level >= min.parse().unwrap());
    let exemptions = match &rule["unless"] {
        Value::Null => Vec::new(),
        Value::Array(list) => list.iter().collect(),
        one => vec![one],
    };
    is_risky
        && all_arguments(&rule["args"], action, false)
        && !exemptions.into_iter().any(|one| proved(one, action))
}

fn proved(conditions: &Value, action: &ToolAction) -> bool {
    let is_harmless = conditions["risk_level_max"]
        .as_str()
        .is_none_or(|max| action.risk_level <= max.parse().unwrap());
    is_harmless && all_arguments(&conditions["args"], action, true)
}

fn all_arguments(conditions: &Value, action: &ToolAction, must_be_proved: bool) -> bool {
    let conditions = conditions.as_object().into_iter().flatten();
    conditions.into_iter().all(|(name, matcher)| {
        let value = action.arguments.get(name).filter(|value| !value.is_null());
        if let Some(present) = matcher["present"].as_bool() {
            return present == value.is_some();
        }
        match value {
            None => must_be_proved && matcher["optional"] == json!(true),
            Some(value) => match matches(matcher, value, must_be_proved) {
                Yes => true,
                No => false,
                Unknown => !must_be_proved,
            },
        }
    })
}

fn matches(matcher: &Value, value: &Value, must_be_proved: bool) -> Truth {
    let mut matcher = matcher.as_object().unwrap().clone();
    let Value::Array(items) = value else {
        return and(matcher.iter().map(|(key, asked)| test(key, asked, value)));
    };
    let length = matcher.remove("max_length").map_or(Yes, |most| {
        truth(items.len() as u64 <= most.as_u64().unwrap())
    });
    matcher.remove("optional");
    if matcher.is_empty() {
        return length;
    }
    let each: Vec<Truth> = items
        .iter()
        .map(|item| and(matcher.iter().map(|(key, asked)| test(key, asked, item))))
        .collect();
    let elements = if must_be_proved {
        and(each.into_iter())
    } else if each.contains(&Yes) {
        Yes
    } else if each.contains(&Unknown) {
        Unknown
    } else {
        No
    };
    and([length, elements].into_iter())
}

fn and(all: impl Iterator<Item = Truth>) -> Truth {
    let all: Vec<Truth> = all.collect();
    if all.contains(&No) {
        No
    } else if all.contains(&Unknown) {
        Unknown
    } else {
        Yes
    }
}

fn test(key: &str, asked: &Value, value: &Value) -> Truth {
    let number = |compare: fn(f64, f64) -> bool| match value.as_f64() {
        Some(value) => truth(compare(value, asked.as_f64().unwrap())),
        None => Unknown,
    };
    let is_scalar = value.is_string() || value.is_number() || value.is_boolean();
    let one_of = |list: &[Value]| {
        let equals = |one: &Value| match (one.as_f64(), value.as_f64()) {
            (Some(one), Some(value)) => (one - value).abs() < f64::EPSILON,
            _ => one == value,
        };
        if is_scalar {
            truth(list.iter().any(equals))
        } else {
            Unknown
        }
    };
    let not = |answer| match answer {
        Yes => No,
        No => Yes,
        Unknown => Unknown,
    };
    match key {
        "optional" => Yes,
        "equals" => one_of(std::slice::from_ref(asked)),
        "one_of" => one_of(asked.as_array().unwrap()),
        "not_one_of" => not(one_of(asked.as_array().unwrap())),
        "min" => number(|value, end| value >= end),
        "below" => number(|value, end| value < end),
        "max_length" => match value.as_str() {
            Some(text) => truth(text.chars().count() as u64 <= asked.as_u64().unwrap()),
            None => Unknown,
        },
        "glob" => match value.as_str() {
            Some(text) => truth(glob(asked.as_str().unwrap(), text)),
            None => Unknown,
        },
        "not" => not(and(asked
            .as_object()
            .unwrap()
            .iter()
            .map(|(key, asked)| test(key, asked, value)))),
        other => panic!("no such matcher: {other}"),
    }
}

fn glob(pattern: &str, text: &str) -> bool {
    match pattern.chars().next() {
        None => text.is_empty(),
        Some('*') => (0..=text.len()).any(|at| glob(&pattern[1..], &text[at..])),
        Some(c) => text
            .strip_prefix(c)
            .is_some_and(|rest| glob(&pattern[1..], rest)),
    }
}
