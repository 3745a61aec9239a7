//! The engines, a file each.

mod aegize;
mod casbin;
mod cedar;
mod index;
mod regorus;
mod scan;

use crate::workload::Workload;

/// The rules of a workload, and its calls in the form that the engine takes.
pub(crate) trait Engine {
    /// Whether the call of that number is allowed.
    fn allows(&mut self, call: usize) -> bool;
}

pub(crate) struct Kind {
    pub(crate) name: &'static str,
    /// With more, loading or deciding takes minutes.
    pub(crate) most_rules: Option<usize>,
    pub(crate) load: fn(&Workload) -> Box<dyn Engine>,
}

pub(crate) const KINDS: [Kind; 8] = [
    Kind {
        name: "bare hash index",
        most_rules: None,
        load: |workload| Box::new(index::Index::load(workload)),
    },
    Kind {
        name: "scan of the agent's rules",
        most_rules: None,
        load: |workload| Box::new(scan::Scan::load(workload)),
    },
    Kind {
        name: "**aegize**",
        most_rules: None,
        load: |workload| Box::new(aegize::Aegize::load(workload)),
    },
    Kind {
        name: "regorus RVM, indexed data",
        most_rules: None,
        load: |workload| Box::new(regorus::Machine::load(workload)),
    },
    Kind {
        name: "regorus interpreter, indexed data",
        most_rules: None,
        load: |workload| Box::new(regorus::Interpreter::load(workload)),
    },
    Kind {
        name: "cedar-policy, a set for each agent",
        most_rules: None,
        load: |workload| Box::new(cedar::Cedar::load_by_agent(workload)),
    },
    Kind {
        name: "cedar-policy, one set",
        most_rules: None,
        load: |workload| Box::new(cedar::Cedar::load_together(workload)),
    },
    Kind {
        name: "casbin",
        most_rules: Some(1_000),
        load: |workload| Box::new(casbin::Casbin::load(workload)),
    },
];
