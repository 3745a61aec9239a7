#!/bin/sh
# What 300 guarded functions add to a program: text size and compile time, release profile.
#
#     benches/attribute.sh [rounds [sync|async|owned|mixed]]
#
# The functions are synchronous, asynchronous, asynchronous with arguments that have to be dropped,
# or a third of each. The asynchronous ones await something once, as such tools do: the plain ones would else
# be folded into their caller, and what any future costs would count as what the attribute adds.
# Builds one crate twice, with the attribute and without, in a directory of its own. The time is
# that of the crate alone, its dependencies built, and the best of several rounds that alternate.
# Exits with 1 if the difference is over the budget.
set -eu

rounds=${1:-3}
case ${2:-mixed} in
    sync) kind='0' ;;
    async) kind='1' ;;
    owned) kind='2' ;;
    mixed) kind='' ;;
    *)
        echo "no such kind of function: $2" >&2
        exit 2
        ;;
esac
functions=300
text_budget=100000
time_budget=2000

root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export CARGO_TARGET_DIR="$work/target"

# Input: the name of the crate, and the attribute's line for the n-th function.
write_crate() {
    mkdir -p "$work/$1/src"
    cat > "$work/$1/Cargo.toml" <<EOF
[package]
name = "$1"
version = "0.0.0"
edition = "2024"

[workspace]

[dependencies]
aegize = { path = "$root" }
EOF
    cp "$root/Cargo.lock" "$work/$1/Cargo.lock"
    awk -v functions=$functions -v guarded="$2" -v kind="$kind" '
        function shape(n) { return kind == "" ? n % 3 : kind }
        BEGIN {
            print "use std::hint::black_box;\nuse std::path::Path;\nuse aegize::GuardError;\n"
            for (n = 0; n < functions; n++) {
                if (guarded) {
                    printf "#[aegize::guarded_tool(tool_name = \"tool_%d\", operation = \"run\", risk_level = \"high\")]\n", n
                }
                if (shape(n) == 0) {
                    printf "fn tool_%d(to: &str, count: u64, file: &Path) -> Result<u64, GuardError> {\n", n
                } else if (shape(n) == 1) {
                    printf "async fn tool_%d(to: &str, count: u64, file: &Path) -> Result<u64, String> {\n", n
                } else {
                    printf "async fn tool_%d(to: String, count: Option<u64>, list: Vec<u8>) -> Result<u64, GuardError> {\n", n
                }
                if (shape(n) > 0) {
                    print "    Pause.await;"
                }
                if (shape(n) == 2) {
                    printf "    Ok(black_box(to.len() as u64 + count.unwrap_or(%d) + list.len() as u64))\n}\n\n", n
                } else {
                    printf "    Ok(black_box(to.len() as u64 + count + file.as_os_str().len() as u64 + %d))\n}\n\n", n
                }
            }
            if (kind != "0") {
                print "struct Pause;\n"
                print "impl Future for Pause {"
                print "    type Output = ();\n"
                print "    #[inline(never)]"
                print "    fn poll(self: std::pin::Pin<&mut Self>, _: &mut std::task::Context<\x27_>) -> std::task::Poll<()> {"
                print "        black_box(std::task::Poll::Ready(()))\n    }\n}\n"
                print "fn poll<T>(future: impl Future<Output = T>) -> bool {"
                print "    let mut future = std::pin::pin!(future);"
                print "    let mut context = std::task::Context::from_waker(std::task::Waker::noop());"
                print "    future.as_mut().poll(&mut context).is_ready()\n}\n"
            }
            print "fn main() {\n    let file = Path::new(black_box(\"file\"));"
            for (n = 0; n < functions; n++) {
                if (shape(n) == 0) {
                    printf "    black_box(tool_%d(black_box(\"to\"), 1, file).is_ok());\n", n
                } else if (shape(n) == 1) {
                    printf "    black_box(poll(tool_%d(black_box(\"to\"), 1, file)));\n", n
                } else {
                    printf "    black_box(poll(tool_%d(black_box(\"to\").to_owned(), None, vec![1])));\n", n
                }
            }
            # Both programs link the guard, so that the difference is what the functions add.
            print "    black_box(aegize::PermissionPolicy::from_yaml_str(black_box(\"{}\")).is_ok());"
            print "    black_box(aegize::AuditLog::open(black_box(\"/dev/null\")).is_ok());"
            print "    black_box(one().is_ok());\n}\n"
            print "#[aegize::guarded_tool(tool_name = \"one\", operation = \"run\")]"
            print "fn one() -> Result<u64, GuardError> {\n    Ok(1)\n}"
        }' > "$work/$1/src/main.rs"
}

# Output: milliseconds to compile the crate alone
build() {
    touch "$work/$1/src/main.rs"
    start=$(date +%s%N)
    cargo build --quiet --release --offline --manifest-path "$work/$1/Cargo.toml"
    echo $((($(date +%s%N) - start) / 1000000))
}

text() {
    size "$CARGO_TARGET_DIR/release/$1" | awk 'NR == 2 { print $1 }'
}

write_crate plain ""
write_crate guarded yes
build plain > "$work/warm-up"
build guarded > "$work/warm-up"
for _ in $(seq "$rounds"); do
    for crate in plain guarded; do
        build "$crate" >> "$work/$crate.times"
    done
done
plain_time=$(sort -n "$work/plain.times" | head -n 1)
guarded_time=$(sort -n "$work/guarded.times" | head -n 1)
text_added=$(($(text guarded) - $(text plain)))
time_added=$((guarded_time - plain_time))

printf '%-22s %12s %12s\n' "$functions functions" "text, bytes" "compile, ms"
printf '%-22s %12d %12d\n' "plain" "$(text plain)" "$plain_time"
printf '%-22s %12d %12d\n' "guarded" "$(text guarded)" "$guarded_time"
printf '%-22s %12d %12d\n' "added" "$text_added" "$time_added"
printf '%-22s %12d %12d\n' "budget" "$text_budget" "$time_budget"
[ "$text_added" -le "$text_budget" ] && [ "$time_added" -le "$time_budget" ]
