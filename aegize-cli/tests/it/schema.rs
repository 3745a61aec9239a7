//! `aegize policy schema`: the schema and the loader say the same about the shape of a policy.

use std::fs;
use std::path::Path;

use aegize::PermissionPolicy;
use granit_parser::{Event, Parser, ScalarStyle};
use jsonschema::Validator;
use serde_json::{Map, Value};

use crate::support::run;

fn schema() -> Value {
    let ran = run(&["policy", "schema"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    serde_json::from_str(&ran.stdout).unwrap()
}

fn validator() -> Validator {
    let schema = schema();
    jsonschema::meta::validate(&schema).unwrap();
    jsonschema::draft202012::new(&schema).unwrap()
}

/// A YAML text without comments as JSON.
fn json(text: &str) -> Value {
    let mut open: Vec<(bool, Vec<Value>)> = vec![(false, Vec::new())];
    for next in Parser::new_from_str(text) {
        let value = match next.unwrap().0 {
            Event::MappingStart(..) => {
                open.push((true, Vec::new()));
                continue;
            }
            Event::SequenceStart(..) => {
                open.push((false, Vec::new()));
                continue;
            }
            Event::MappingEnd => {
                let (_, values) = open.pop().unwrap();
                let pairs = values.chunks(2);
                let pair = |pair: &[Value]| (pair[0].as_str().unwrap().to_owned(), pair[1].clone());
                Value::Object(pairs.map(pair).collect::<Map<_, _>>())
            }
            Event::SequenceEnd => Value::Array(open.pop().unwrap().1),
            Event::Scalar(text, ScalarStyle::Plain, ..) if matches!(&*text, "" | "~") => {
                Value::Null
            }
            Event::Scalar(text, ScalarStyle::Plain, ..) => {
                serde_json::from_str(&text).unwrap_or_else(|_| Value::String(text.into_owned()))
            }
            Event::Scalar(text, ..) => Value::String(text.into_owned()),
            _ => continue,
        };
        open.last_mut().unwrap().1.push(value);
    }
    open.remove(0).1.remove(0)
}

/// Documents that the loader accepts.
const GOOD: [&str; 22] = [
    "agents: {}",
    "{version: 1, agents: {bot: }, roles: {r: }, environments: {dev: }, x-a: [1]}",
    "agents: {bot: {allow: , deny: [], require_approval: , roles: [], environments: {}, x-a: {b: c}}}",
    "{roles: {r: {allow: [{tool: t}], x-a: }, x-r: 1}, agents: {b: {roles: [r]}, x-c: }}",
    "{environments: {prod: {deny: [{tool: t}]}, staging: {allow: []}, x-a: }, agents: {}}",
    "agents: {b: {environments: {dev: {widens: true, allow: [{tool: t}]}}}}",
    "agents: {b: {environments: {dev: {widens: false}}}}",
    "agents: {b: {allow: [{tool: t, operations: [], paths: [a, '**'], symlinks: ignore, risk_level_max: low, id: i, reason: r, x-a: }]}}",
    "agents: {b: {deny: [{tool: '*', operations: [a, 'b*'], risk_level_min: critical, unless: {risk_level_max: high}}]}}",
    "agents: {b: {require_approval: [{tool: t, unless: [{paths: [a]}, {args: {a: {present: true}}, x-b: }]}]}}",
    "agents: {b: {allow: [{tool: t, args: {a: {equals: 1}, /a/b: {one_of: [a, 1, true, 1.5], optional: true}}}]}}",
    "agents: {b: {deny: [{tool: t, args: {a: {not_one_of: ['']}, b: {min: 0, max: 1.5}, c: {above: -1, below: 2}}}]}}",
    "agents: {b: {deny: [{tool: t, args: {a: {max_length: 0}, b: {glob: '*'}, c: {glob: [a, b]}}}]}}",
    "agents: {b: {deny: [{tool: t, args: {a: {matches: 'a+'}, b: {matches: [a, b]}, c: {path: a}, d: {path: [a, b]}}}]}}",
    "agents: {b: {deny: [{tool: t, args: {a: {email: '@acme.com'}, b: {email: [a@b.example]}}}]}}",
    "agents: {b: {deny: [{tool: t, args: {a: {host: acme.com}, b: {host: [acme.com, 10.0.0.0/8]}}}]}}",
    "agents: {b: {deny: [{tool: t, args: {a: {url: {scheme: https, host: [acme.com], port: 443, path: '/**'}}}}]}}",
    "agents: {b: {deny: [{tool: t, args: {a: {url: {port: [443, 80], x-a: }}, b: {command: git}, c: {command: [git, ls]}}}]}}",
    "agents: {b: {allow: [{tool: t, args: {a: {present: false, x-a: 1}}}]}}",
    "agents: {b: {allow: [{tool: t, args: {a: {not: {glob: a, x-b: }, optional: true}}}]}}",
    "agents: {b: {deny: [{tool: t, unless: {args: {a: {max: 1, optional: true}}}}]}}",
    "{version: 1, agents: {b: {environments: {x-a: 1, prod: {x-b: }}}}}",
];

/// Documents whose shape the loader refuses.
const BAD: [&str; 79] = [
    "[]",
    "agents",
    "{}",
    "version: 1",
    "agents: ",
    "agents: []",
    "{agents: {}, agent: {}}",
    "{agents: {}, version: 2}",
    "{agents: {}, version: '1'}",
    "{agents: {}, roles: []}",
    "{agents: {}, environments: []}",
    "{agents: {}, environments: {test: }}",
    "{agents: {}, roles: {r: {roles: []}}}",
    "{agents: {}, roles: {r: {environments: {}}}}",
    "agents: {b: []}",
    "agents: {b: {denny: []}}",
    "agents: {b: {widens: true}}",
    "agents: {b: {roles: r}}",
    "agents: {b: {roles: [1]}}",
    "agents: {b: {deny: {}}}",
    "agents: {b: {deny: [t]}}",
    "agents: {b: {environments: {prod: {roles: []}}}}",
    "agents: {b: {environments: {prod: {allow: [{tool: t}]}}}}",
    "agents: {b: {environments: {prod: {widens: false, allow: [{tool: t}]}}}}",
    "agents: {b: {environments: {prod: {widens: 1}}}}",
    "agents: {b: {environments: }}",
    "agents: {b: {deny: [{}]}}",
    "agents: {b: {deny: [{operations: [a]}]}}",
    "agents: {b: {deny: [{tool: }]}}",
    "agents: {b: {deny: [{tool: ' '}]}}",
    "agents: {b: {deny: [{tool: 1}]}}",
    "agents: {b: {deny: [{tool: t, operation: [a]}]}}",
    "agents: {b: {deny: [{tool: t, operations: a}]}}",
    "agents: {b: {deny: [{tool: t, operations: }]}}",
    "agents: {b: {deny: [{tool: t, operations: [true]}]}}",
    "agents: {b: {deny: [{tool: t, risk_level_max: low}]}}",
    "agents: {b: {allow: [{tool: t, risk_level_min: low}]}}",
    "agents: {b: {allow: [{tool: t, risk_level_max: Low}]}}",
    "agents: {b: {allow: [{tool: t, risk_level_max: 1}]}}",
    "agents: {b: {allow: [{tool: t, paths: []}]}}",
    "agents: {b: {allow: [{tool: t, paths: a}]}}",
    "agents: {b: {allow: [{tool: t, paths: ['']}]}}",
    "agents: {b: {allow: [{tool: t, symlinks: follow}]}}",
    "agents: {b: {allow: [{tool: t, id: 1}]}}",
    "agents: {b: {allow: [{tool: t, reason: }]}}",
    "agents: {b: {allow: [{tool: t, unless: {risk_level_max: low}}]}}",
    "agents: {b: {deny: [{tool: t, unless: {}}]}}",
    "agents: {b: {deny: [{tool: t, unless: []}]}}",
    "agents: {b: {deny: [{tool: t, unless: {x-a: 1}}]}}",
    "agents: {b: {deny: [{tool: t, unless: {tool: a}}]}}",
    "agents: {b: {deny: [{tool: t, unless: {risk_level_min: low}}]}}",
    "agents: {b: {deny: [{tool: t, args: }]}}",
    "agents: {b: {deny: [{tool: t, args: {}}]}}",
    "agents: {b: {deny: [{tool: t, args: {x-a: {equals: 1}}}]}}",
    "agents: {b: {deny: [{tool: t, args: {a: 1}}]}}",
    "agents: {b: {deny: [{tool: t, args: {a: {}}}]}}",
    "agents: {b: {deny: [{tool: t, args: {a: {x-a: 1}}}]}}",
    "agents: {b: {allow: [{tool: t, args: {a: {optional: true}}}]}}",
    "agents: {b: {deny: [{tool: t, args: {a: {equals: 1, optional: true}}}]}}",
    "agents: {b: {deny: [{tool: t, args: {a: {equal: 1}}}]}}",
    "agents: {b: {deny: [{tool: t, args: {a: {equals: }}}]}}",
    "agents: {b: {deny: [{tool: t, args: {a: {equals: [1]}}}]}}",
    "agents: {b: {deny: [{tool: t, args: {a: {one_of: a}}}]}}",
    "agents: {b: {deny: [{tool: t, args: {a: {one_of: []}}}]}}",
    "agents: {b: {deny: [{tool: t, args: {a: {min: a}}}]}}",
    "agents: {b: {deny: [{tool: t, args: {a: {max_length: -1}}}]}}",
    "agents: {b: {deny: [{tool: t, args: {a: {max_length: 1.5}}}]}}",
    "agents: {b: {deny: [{tool: t, args: {a: {glob: []}}}]}}",
    "agents: {b: {deny: [{tool: t, args: {a: {path: ''}}}]}}",
    "agents: {b: {deny: [{tool: t, args: {a: {email: 1}}}]}}",
    "agents: {b: {deny: [{tool: t, args: {a: {url: {}}}}]}}",
    "agents: {b: {deny: [{tool: t, args: {a: {url: https}}}]}}",
    "agents: {b: {deny: [{tool: t, args: {a: {url: {hosts: a}}}}]}}",
    "agents: {b: {deny: [{tool: t, args: {a: {url: {port: []}}}}]}}",
    "agents: {b: {deny: [{tool: t, args: {a: {url: {port: 65536}}}}]}}",
    "agents: {b: {deny: [{tool: t, args: {a: {present: true, equals: 1}}}]}}",
    "agents: {b: {deny: [{tool: t, args: {a: {present: 1}}}]}}",
    "agents: {b: {deny: [{tool: t, args: {a: {not: {present: true}}}}]}}",
    "agents: {b: {allow: [{tool: t, args: {a: {not: {equals: 1, optional: true}}}}]}}",
];

#[test]
fn what_the_loader_accepts_is_valid() {
    let validator = validator();
    for text in GOOD {
        PermissionPolicy::from_yaml_str(text).unwrap_or_else(|error| panic!("{error}"));
        validator
            .validate(&json(text))
            .unwrap_or_else(|error| panic!("{text}: {error}"));
    }
}

#[test]
fn shapes_that_the_loader_refuses_are_not_valid() {
    let validator = validator();
    for text in BAD {
        assert!(PermissionPolicy::from_yaml_str(text).is_err(), "{text}");
        assert!(!validator.is_valid(&json(text)), "{text}");
    }
}

#[test]
fn the_policies_of_the_repository_are_valid() {
    let (validator, mut seen) = (validator(), 0);
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut folders = vec![root.join("examples"), root.join("tests")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path
                .extension()
                .is_some_and(|extension| extension == "yaml")
                && PermissionPolicy::from_yaml_file(&path).is_ok()
            {
                let instance = json(&fs::read_to_string(&path).unwrap());
                let result = validator.validate(&instance);
                result.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
                seen += 1;
            }
        }
    }
    assert!(seen >= 6, "only {seen} policies were found");
}

/// Where keys stand: a document with a key that nobody knows, and the part of the schema that
/// says which ones are known.
const PLACES: [(&str, &str); 12] = [
    ("{agents: {}, KEY: 1}", ""),
    ("{agents: {}, roles: {r: {KEY: 1}}}", "/$defs/role"),
    ("agents: {b: {KEY: 1}}", "/$defs/agent"),
    (
        "agents: {b: {environments: {prod: {KEY: 1}}}}",
        "/$defs/environment",
    ),
    (
        "agents: {b: {environments: {KEY: }}}",
        "/$defs/agent/properties/environments",
    ),
    (
        "{agents: {}, environments: {KEY: }}",
        "/properties/environments",
    ),
    (
        "agents: {b: {allow: [{tool: t, KEY: 1}]}}",
        "/$defs/allowRule",
    ),
    (
        "agents: {b: {deny: [{tool: t, KEY: 1}]}}",
        "/$defs/otherRule",
    ),
    (
        "agents: {b: {require_approval: [{tool: t, KEY: 1}]}}",
        "/$defs/approvalRule",
    ),
    (
        "agents: {b: {deny: [{tool: t, unless: {KEY: 1}}]}}",
        "/$defs/exemption",
    ),
    (
        "agents: {b: {deny: [{tool: t, args: {a: {KEY: 1}}}]}}",
        "/$defs/matcher",
    ),
    (
        "agents: {b: {deny: [{tool: t, args: {a: {url: {KEY: 1}}}}]}}",
        "/$defs/matcher/properties/url",
    ),
];

#[test]
fn the_schema_and_the_loader_know_the_same_keys() {
    let schema = schema();
    for (text, pointer) in PLACES {
        let text = text.replace("KEY", "qqqqqqqqqqqqqqqq");
        let error = PermissionPolicy::from_yaml_str(&text).unwrap_err();
        let problems = error.problems().iter();
        let mut messages = problems.map(aegize::Problem::message);
        let message = messages
            .find(|message| message.starts_with("unknown"))
            .unwrap();
        let (_, known) = message
            .split_once("; use ")
            .unwrap_or_else(|| panic!("{message}"));
        let mut known: Vec<&str> = known.split(", ").collect();
        known.sort_unstable();
        let properties = schema.pointer(pointer).unwrap()["properties"]
            .as_object()
            .unwrap();
        let mut listed: Vec<&str> = properties.keys().map(String::as_str).collect();
        listed.sort_unstable();
        assert_eq!(listed, known, "{pointer}");
    }
}

#[test]
fn every_key_is_explained() {
    fn look(value: &Value, defs: &Value, path: &str) {
        if let Some(properties) = value["properties"].as_object() {
            for (key, property) in properties {
                let path = format!("{path}/{key}");
                let name = property["$ref"]
                    .as_str()
                    .and_then(|r| r.strip_prefix("#/$defs/"));
                let target = name.map_or(&Value::Null, |name| &defs[name]);
                let text = property["description"]
                    .as_str()
                    .or(target["description"].as_str());
                assert!(text.is_some_and(|text| text.ends_with('.')), "{path}");
                look(property, defs, &path);
            }
        }
    }
    let schema = schema();
    look(&schema, &schema["$defs"], "");
    for (name, definition) in schema["$defs"].as_object().unwrap() {
        look(definition, &schema["$defs"], name);
    }
}
