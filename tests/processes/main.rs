//! The audit log under real processes and real faults: crowds, kills, torn lines, full disks.
//!
//! The scenarios need processes of their own that can die or be limited, so this test has no
//! libtest: with `worker ROLE LOG …` the program is one of those processes ([`worker`]),
//! otherwise it runs the scenarios. Nothing waits for time; all waiting is for a line that
//! another process writes, or for its end.

mod carrier;
mod crowd;
mod faults;
mod faulty;
mod full;
mod harness;
mod interposer;
mod kept;
mod killed;
mod ledger;
mod plan;
mod refused;
mod shipped;
mod storm;
mod torn;
mod waiting;
mod whole;
mod worker;

use std::env;
use std::process::ExitCode;

use self::harness::Scenario;

const SCENARIOS: &[Scenario] = &[
    (
        "crowd::eight_processes_of_eight_threads",
        crowd::eight_processes_of_eight_threads,
    ),
    (
        "crowd::a_reader_beside_two_writers",
        crowd::a_reader_beside_two_writers,
    ),
    (
        "crowd::many_open_a_torn_log_at_once",
        crowd::many_open_a_torn_log_at_once,
    ),
    ("killed::in_the_middle", killed::in_the_middle),
    ("killed::by_the_size_limit", killed::by_the_size_limit),
    ("torn::in_the_last_line", torn::in_the_last_line),
    ("torn::in_the_first_line", torn::in_the_first_line),
    ("torn::several_times", torn::several_times),
    (
        "torn::while_others_have_it_open",
        torn::while_others_have_it_open,
    ),
    (
        "torn::and_not_to_be_set_aside",
        torn::and_not_to_be_set_aside,
    ),
    ("torn::under_a_relative_path", torn::under_a_relative_path),
    ("refused::a_full_device", refused::a_full_device),
    ("refused::removed_while_open", refused::removed_while_open),
    ("refused::cut_while_open", refused::cut_while_open),
    ("refused::no_file", refused::no_file),
    ("refused::right_below_a_file", refused::right_below_a_file),
    ("refused::a_pipe_nobody_reads", refused::a_pipe_nobody_reads),
    ("refused::a_name_without_end", refused::a_name_without_end),
    ("refused::no_log", refused::no_log),
    ("refused::a_list_is_no_log", || {
        refused::almost_a_log("[1]\n[2]\n")
    }),
    ("refused::text_that_does_not_end", || {
        refused::almost_a_log("Dear diary")
    }),
    ("refused::the_last_seq_there_is", || {
        refused::almost_a_log("{\"seq\":18446744073709551615}\n")
    }),
    (
        "full::a_record_crosses_the_limit",
        full::a_record_crosses_the_limit,
    ),
    (
        "full::the_recovery_crosses_the_limit",
        full::the_recovery_crosses_the_limit,
    ),
    ("full::no_room_to_set_aside", full::no_room_to_set_aside),
    ("kept::until_there_is_room", kept::until_there_is_room),
    (
        "kept::until_the_log_is_dropped",
        kept::until_the_log_is_dropped,
    ),
    ("kept::until_somebody_reads", kept::until_somebody_reads),
    ("kept::until_the_end_is_known", kept::until_the_end_is_known),
    ("kept::in_order", kept::in_order),
    ("kept::of_a_panic", kept::of_a_panic),
    (
        "shipped::killed_at_any_moment",
        shipped::killed_at_any_moment,
    ),
    (
        "shipped::killed_before_it_is_noted",
        shipped::killed_before_it_is_noted,
    ),
    ("shipped::by_one_of_three", shipped::by_one_of_three),
    ("shipped::only_with_room", shipped::only_with_room),
    ("faults::at_every_call", faults::at_every_call),
    (
        "storm::a_hundred_kills_under_synced",
        storm::a_hundred_kills_under_synced,
    ),
    ("storm::kills_under_written", storm::kills_under_written),
    (
        "storm::kills_while_files_and_checkpoints_follow_each_other",
        storm::kills_while_files_and_checkpoints_follow_each_other,
    ),
    (
        "storm::four_processes_that_rotate",
        storm::four_processes_that_rotate,
    ),
    (
        "storm::a_newcomer_and_a_reader_beside_one_that_never_rests",
        storm::a_newcomer_and_a_reader_beside_one_that_never_rests,
    ),
    ("waiting::for_a_sync", waiting::for_a_sync),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    // A filter may be `worker`, too.
    if let [first, role, log, rest @ ..] = &*arguments
        && first == "worker"
    {
        worker::work(role, log.as_ref(), rest);
        return ExitCode::SUCCESS;
    }
    let code = harness::main(&arguments, SCENARIOS);
    interposer::remove_library();
    code
}
