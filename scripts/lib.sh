# Sourced by scripts/run and scripts/test: packages, Node.js, builds, and a step runner that shows progress.
# Works from any folder and in paths with blanks; needs nothing but bash and Debian's base system.
# shellcheck shell=bash
# Every step writes build/logs/<step>.log. A failed step says what failed, where the log is and what to try.

set -euo pipefail

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)
readonly root
readonly build="$root/build" logs="$root/build/logs" stamps="$root/build/stamps"
readonly web_dist="$root/web/client/dist/build/h5" console_dist="$root/web/admin/dist"
readonly mini_dist="$root/web/client/dist/build/mp-weixin"
readonly wasm_dist="$build/wasm/dist" server="$build/release/topup"
readonly heartbeat_s=30       # a line this often when no terminal shows the running clock
readonly log_tail_lines=30
readonly memory_per_job_kb=1500000  # the largest translation unit needs about this much

mkdir -p "$logs" "$stamps"

live=no
if [[ -t 1 && "${TERM:-dumb}" != dumb && -z "${CI:-}" ]]; then live=yes; fi

say() { printf '%s\n' "$*"; }
die() {
  printf '%s\n' "$*" >&2
  exit 1
}

seconds_text() {  # 42 -> "42 s", 125 -> "2 min 05 s"
  if (($1 < 60)); then printf '%d s' "$1"; else printf '%d min %02d s' $(($1 / 60)) $(($1 % 60)); fi
}

# ---------------------------------------------------------------------------------------------------------------
# Steps: a small graph. add_step NAME LABEL "NAMES IT NEEDS" HINT COMMAND...; run_steps runs them, two at a time.

declare -a step_names=()
declare -A step_label=() step_needs=() step_hint=() step_command=() step_state=() step_pid=() step_start=()
declare -A step_number=() step_seconds=() step_reason=()
steps_started=0

add_step() {
  local name=$1
  [[ -z "${step_label[$name]:-}" ]] || return 0
  step_names+=("$name")
  step_label[$name]=$2
  step_needs[$name]=$3
  step_hint[$name]=$4
  shift 4
  step_command[$name]=$(printf '%q ' "$@")
  step_state[$name]=waiting
}

clear_live_line() { [[ $live == no ]] || printf '\r\033[K'; }

start_step() {
  local name=$1
  steps_started=$((steps_started + 1))
  step_number[$name]="[$steps_started/${#step_names[@]}]"
  step_start[$name]=$SECONDS
  step_state[$name]=running
  [[ $live == yes ]] || say "${step_number[$name]} ${step_label[$name]} …"
  # No terminal, no keyboard, no lock: what a step starts must not keep any of them.
  (
    set -e
    trap - EXIT INT TERM
    eval "${step_command[$name]}"
  ) >"$logs/$name.log" 2>&1 </dev/null 9>&- &
  step_pid[$name]=$!
}

finish_step() {
  local name=$1 code=0
  wait "${step_pid[$name]}" || code=$?
  unset "step_pid[$name]"
  step_seconds[$name]=$((SECONDS - step_start[$name]))
  clear_live_line
  if ((code == 0)); then
    step_state[$name]=done
    say "${step_number[$name]} ${step_label[$name]}: $(seconds_text "${step_seconds[$name]}")"
    return 0
  fi
  step_state[$name]=failed
  step_reason[$name]="${step_label[$name]} failed (exit $code)"
  {
    say ""
    say "${step_number[$name]} ${step_label[$name]}: FAILED after $(seconds_text "${step_seconds[$name]}") (exit $code)"
    say "  last lines of build/logs/$name.log:"
    tail -n "$log_tail_lines" "$logs/$name.log" | sed 's/^/    /'
    say "  whole log: $logs/$name.log"
    say "  what to do: ${step_hint[$name]}"
    say ""
  } >&2
}

# Ready when all it needs is done; skipped when something it needs has failed.
judge_step() {
  local name=$1 need
  for need in ${step_needs[$name]}; do
    case ${step_state[$need]:-absent} in
      done) ;;
      failed | skipped)
        step_state[$name]=skipped
        step_reason[$name]="not done, because: ${step_reason[$need]}"
        return 1
        ;;
      absent) die "internal: step $name needs $need, which was never added" ;;
      *) return 1 ;;
    esac
  done
}

draw_running() {
  local name line="" elapsed
  for name in "${step_names[@]}"; do
    [[ ${step_state[$name]} == running ]] || continue
    elapsed=$((SECONDS - step_start[$name]))
    if [[ $live == yes ]]; then
      line+="${line:+ · }${step_number[$name]} ${step_label[$name]} … $(seconds_text $elapsed)"
    elif ((elapsed >= ${step_beat[$name]:-$heartbeat_s})); then
      step_beat[$name]=$((elapsed + heartbeat_s))
      say "${step_number[$name]} ${step_label[$name]} … $(seconds_text $elapsed) so far"
    fi
  done
  [[ $live == yes && -n $line ]] || return 0
  local width=${COLUMNS:-0}
  ((width > 0)) || width=$(tput cols 2>/dev/null || echo 80)
  printf '\r\033[K%s' "${line:0:$((width - 1))}"
}
declare -A step_beat=()

# run_steps stop|go-on: after a failure, end at once, or still run what does not depend on it. Sets steps_failed.
# Never in a condition (`run_steps … ||`, `if run_steps`): there bash passes over every failed command inside of a step, and
# a build that failed would count as done whenever an older one had left its files.
steps_failed=0
run_steps() {
  set +e
  (set -e; false; exit 42)
  (($? != 42)) || die "run_steps stands in a condition, where the failures of a step are passed over"
  wait_for_steps "$1"
  steps_failed=$?
  set -e
}

wait_for_steps() {  # stop|go-on; returns 1 when any step failed
  local on_failure=$1 name running waiting failed=0
  while :; do
    running=0 waiting=0
    for name in "${step_names[@]}"; do
      if [[ ${step_state[$name]} == running ]] && ! kill -0 "${step_pid[$name]}" 2>/dev/null; then
        finish_step "$name"
        if [[ ${step_state[$name]} == failed ]]; then
          failed=1
          [[ $on_failure == go-on ]] || return 1
        fi
      fi
      [[ ${step_state[$name]} != running ]] || running=$((running + 1))
    done
    for name in "${step_names[@]}"; do
      [[ ${step_state[$name]} == waiting ]] || continue
      if ((running < 2)) && judge_step "$name"; then
        start_step "$name"
        running=$((running + 1))
      fi
      [[ ${step_state[$name]} != waiting ]] || waiting=$((waiting + 1))
    done
    ((running > 0 || waiting > 0)) || break
    draw_running
    sleep 0.2
  done
  return $failed
}

# Steps run in the background, where Ctrl-C does not reach them: end each with all that it started.
stop_tree() {  # PID
  local child
  for child in $(cat "/proc/$1/task/$1/children" 2>/dev/null); do stop_tree "$child"; done
  kill -TERM "$1" 2>/dev/null || true
}

stop_steps() {
  local pid
  for pid in "${step_pid[@]}"; do stop_tree "$pid"; done
}

on_leave=:  # a script's own last word

leave() {
  local code=$?
  trap - EXIT INT TERM
  clear_live_line
  stop_steps
  "$on_leave"
  exit "$code"
}
trap leave EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# ---------------------------------------------------------------------------------------------------------------
# One build at a time in one tree.

lock_build() {
  exec 9>"$build/.lock"
  if ! flock -n 9; then
    say "Another scripts/run or scripts/test is building in this folder; waiting for it …"
    flock 9
  fi
}

unlock_build() { exec 9>&-; }

# ---------------------------------------------------------------------------------------------------------------
# Debian packages.

packages_of() {  # GROUP...: the packages of these groups, once each
  local group
  for group in "$@"; do
    sed -n "s/^$group  *\([^ ]*\) *$/\1/p" "$root/scripts/packages.txt"
  done | LC_ALL=C sort -u
}

missing_packages() {  # GROUP...: those that are not installed
  local wanted
  wanted=$(packages_of "$@")
  # shellcheck disable=SC2086
  LC_ALL=C comm -23 <(printf '%s\n' $wanted) \
    <(dpkg-query -W -f '${db:Status-Status} ${Package}\n' $wanted 2>/dev/null |
      sed -n 's/^installed //p' | LC_ALL=C sort -u) | tr '\n' ' '
}

as_root() {
  if ((EUID == 0)); then "$@"; else sudo -n "$@"; fi
}

# Asks for the password once, on the terminal, before the steps run without one.
prepare_root() {
  [[ -n "$(missing_packages "$@")" ]] || return 0
  command -v apt-get >/dev/null ||
    die "Packages are missing ($(missing_packages "$@")) and this is no Debian: install them by hand, then run this again."
  if ((EUID != 0)); then
    command -v sudo >/dev/null ||
      die "Packages are missing ($(missing_packages "$@")): run this as root, or install sudo."
    say "Some Debian packages are missing; installing them needs root."
    sudo -v || die "Without root rights run this yourself: apt-get install $(missing_packages "$@")"
  fi
}

install_packages() {  # GROUP...
  local -a missing
  local try
  read -ra missing <<<"$(missing_packages "$@")"
  if ((${#missing[@]} == 0)); then
    say "All packages are there."
    return 0
  fi
  say "Missing: ${missing[*]}"
  for try in 1 2 3; do
    if { [[ $try == 1 ]] && lists_are_new || update_lists; } &&
      as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 \
        install -y --no-install-recommends "${missing[@]}"; then
      return 0
    fi
    say "Attempt $try did not succeed."
    sleep $((try * 3))
  done
  return 1
}

lists_are_new() { [[ -n $(find "$stamps/package-lists" -mmin -30 2>/dev/null) ]]; }

update_lists() { as_root apt-get -o DPkg::Lock::Timeout=300 update && touch "$stamps/package-lists"; }

readonly packages_hint="check the network and the package sources, then run this again; what is there is kept"

# ---------------------------------------------------------------------------------------------------------------
# Node.js: the machine's own when it is new enough for Vite 8, else a pinned one from npm in build/tools.

node_is_good() {
  command -v npm >/dev/null || return 1
  local version major minor
  version=$(node --version 2>/dev/null) || return 1
  version=${version#v}
  major=${version%%.*}
  minor=${version#*.}
  minor=${minor%%.*}
  ((major == 20 && minor >= 19 || major == 22 && minor >= 12))
}

use_pinned_node() { export PATH="$build/tools/bin:$PATH"; }

# Every shell that needs Node.js calls this first; the step "node" has made sure that it succeeds.
use_node() {
  if cmp -s "$root/scripts/node/package-lock.json" "$build/tools/installed.json"; then use_pinned_node; fi
  export CI=1 npm_config_update_notifier=false npm_config_fund=false npm_config_audit=false
}

node_groups() {  # the packages that must come first, nothing when Node.js is good
  (use_node && node_is_good) || command -v npm >/dev/null || printf 'npm'
}

install_node() {
  local binary
  use_node
  if node_is_good; then
    say "Using Node.js $(node --version) from $(command -v node)"
    return 0
  fi
  say "Node.js $(node --version 2>/dev/null || echo '(none)') is too old for the web builds: installing the pinned one."
  rm -rf "$build/tools"
  mkdir -p "$build/tools"
  cp "$root/scripts/node/package.json" "$root/scripts/node/package-lock.json" "$build/tools/"
  (cd "$build/tools" && npm_twice ci --ignore-scripts)
  # Links of our own: which ones npm makes for a package called node differs between its versions.
  mkdir "$build/tools/bin"
  binary=$(cd "$build/tools/node_modules" && compgen -G 'node-linux-*/bin/node')
  ln -s "../node_modules/$binary" "$build/tools/bin/node"
  ln -s ../node_modules/npm/bin/npm-cli.js "$build/tools/bin/npm"
  ln -s ../node_modules/npm/bin/npx-cli.js "$build/tools/bin/npx"
  cp "$root/scripts/node/package-lock.json" "$build/tools/installed.json"
  use_pinned_node
  node_is_good && npm --version || {
    say "The pinned Node.js does not run on this machine ($(uname -m))."
    return 1
  }
  say "Installed Node.js $(node --version)"
}

npm_twice() {
  npm "$@" --no-audit --no-fund && return 0
  say "npm $1 did not succeed; trying once more."
  sleep 5
  npm "$@" --no-audit --no-fund
}

readonly npm_hint="check that the npm registry can be reached, then run this again"

hash_of() { sha256sum | cut -c1-64; }

# The exact packages of the lock file; nothing to do when they are there already.
install_web() {  # FOLDER
  local folder="$root/$1" want
  use_node
  [[ -f "$folder/package-lock.json" ]] || {
    say "$1/package-lock.json is missing: the exact versions are unknown."
    return 1
  }
  want=$({ node --version && cat "$folder/package-lock.json"; } | hash_of)
  if [[ -f "$folder/node_modules/.installed" && $(<"$folder/node_modules/.installed") == "$want" ]]; then
    say "Up to date."
    return 0
  fi
  cd "$folder"
  rm -f node_modules/.installed
  npm_twice ci --ignore-scripts
  printf '%s\n' "$want" >node_modules/.installed
}

# ---------------------------------------------------------------------------------------------------------------
# Builds.

compile_jobs() {
  local cores memory_kb by_memory
  cores=$(nproc)
  memory_kb=$(sed -n 's/^MemTotal: *\([0-9]*\) kB/\1/p' /proc/meminfo)
  by_memory=$((${memory_kb:-4000000} / memory_per_job_kb))
  ((by_memory >= 1)) || by_memory=1
  if ((by_memory < cores)); then printf '%d' "$by_memory"; else printf '%d' "$cores"; fi
}

# A folder that another tree, generator or compiler configured cannot be used: it goes away.
drop_stale_build() {  # FOLDER SOURCE
  local cache="$1/CMakeCache.txt" compiler
  [[ -e "$1" ]] || return 0
  if [[ -f $cache ]]; then
    compiler=$(sed -n 's/^CMAKE_CXX_COMPILER:[A-Z]*=//p' "$cache")
    if grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$2" "$cache" &&
      grep -qxF "CMAKE_CACHEFILE_DIR:INTERNAL=$1" "$cache" &&
      grep -qxF "CMAKE_GENERATOR:INTERNAL=Ninja" "$cache" && [[ -n $compiler && -x $compiler ]]; then
      return 0
    fi
  fi
  say "$1 was made for another place or tool: starting it afresh."
  rm -rf "$1"
}

build_native() {  # PRESET TARGET...
  local preset=$1 folder="$build/$1"
  local -a launcher=(-DCMAKE_CXX_COMPILER_LAUNCHER=)
  shift
  [[ -f "$root/CMakeLists.txt" ]] || {
    say "CMakeLists.txt is missing: this is not a whole copy of the repository."
    return 1
  }
  drop_stale_build "$folder" "$root"
  if command -v ccache >/dev/null; then launcher=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache); fi
  # Copies of the repository in other folders share what was compiled before.
  export CCACHE_BASEDIR="${CCACHE_BASEDIR:-$root}" CCACHE_NOHASHDIR="${CCACHE_NOHASHDIR:-1}"
  cd "$root"
  cmake --preset "$preset" "${launcher[@]}"
  cmake --build "$folder" --parallel "$(compile_jobs)" --target "$@"
}

build_wasm() {
  local folder="$build/wasm" third="$build/third"
  [[ -f "$root/wasm/CMakeLists.txt" ]] || {
    say "wasm/CMakeLists.txt is missing: this is not a whole copy of the repository."
    return 1
  }
  drop_stale_build "$folder" "$root/wasm"
  # Only the header folders that the core may use: /usr/include as a whole belongs to another machine.
  mkdir -p "$third"
  ln -sfn /usr/include/tl "$third/tl"
  export NODE_PATH=/usr/share/nodejs  # Debian's optimiser looks for acorn there, whichever Node.js runs it
  cd "$root"
  emcmake cmake -S wasm -B "$folder" -G Ninja -DCMAKE_BUILD_TYPE=Release "-DTOPUP_THIRD_INCLUDE=$third" \
    -DCMAKE_CROSSCOMPILING_EMULATOR="$(command -v node)"
  cmake --build "$folder" --parallel "$(compile_jobs)"
  local made
  for made in topup.js topup.wasm topup.wasm.br; do
    [[ -s "$wasm_dist/$made" ]] || {
      say "The build ended well, but build/wasm/dist/$made is not there."
      return 1
    }
  done
}

# Changes when any file that a web build reads changes.
web_inputs() {  # FOLDER
  local place
  local -a places=()
  cd "$root"
  for place in "$1" web/api build/wasm/dist wasm/topup.d.ts; do
    [[ ! -e $place ]] || places+=("$place")
  done
  node --version
  find "${places[@]}" -type f \
    -not -path '*/node_modules/*' -not -path "$1/dist/*" -not -path '*/src/core/generated/*' \
    -not -path '*/src/static/wasm/*' -not -path '*/unpackage/*' -not -name '*.tsbuildinfo' -print0 |
    LC_ALL=C sort -z | xargs -0 sha256sum
}

build_web() {  # NAME FOLDER FILE-THAT-MUST-APPEAR [NPM-SCRIPT]
  local stamp="$stamps/$1" want
  use_node
  want=$(web_inputs "$2" | hash_of)
  if [[ -f "$3" && -f $stamp && $(<"$stamp") == "$want" ]]; then
    say "Up to date."
    return 0
  fi
  rm -f "$stamp"
  cd "$root/$2"
  npm run "${4:-build}"
  [[ -s "$3" ]] || {
    say "The build ended well, but ${3#"$root/"} is not there."
    return 1
  }
  printf '%s\n' "$want" >"$stamp"
}

readonly source_hint="the first error above names the file and line; run this again after a change, it goes on from there"

# ---------------------------------------------------------------------------------------------------------------
# The steps that both commands share. Each adds what it needs first.

# apt works one at a time: each of these steps waits for the one before.
last_packages_step=""

add_packages_step() {  # NAME LABEL GROUP...
  local name=$1 label=$2
  [[ -z "${step_label[$name]:-}" ]] || return 0
  shift 2
  prepare_root "$@"
  add_step "$name" "$label" "$last_packages_step" "$packages_hint" install_packages "$@"
  last_packages_step=$name
}

# npm comes before the web tools: every build waits for the numbering plans, which it fetches.
add_node_step() {
  local groups needs=""
  [[ -z "${step_label[node]:-}" ]] || return 0
  groups=$(node_groups)
  if [[ -n $groups ]]; then
    add_packages_step packages-node "Installing npm" "$groups"
    needs=packages-node
  fi
  add_step node "Preparing Node.js" "$needs" "$npm_hint" install_node
}

add_plans_step() {
  add_node_step
  add_step plans "Fetching the numbering plans" "node" "$npm_hint" install_web scripts/phonegen
}

# Web tools come later than the compiler, so that it already works while they are unpacked.
add_web_packages_step() { add_packages_step packages-web "Installing the web tools" wasm; }

add_native_step() {  # PRESET TARGET...; the packages step must have been added
  add_plans_step
  add_step "native-$1" "Building the server ($1)" "packages plans" "$source_hint" build_native "$@"
}

add_wasm_step() {
  add_plans_step
  add_web_packages_step
  add_step wasm-build "Building the core for the page" "packages-web plans" "$source_hint" build_wasm
}

add_install_step() {  # NAME FOLDER LABEL
  add_node_step
  add_step "$1-packages" "Installing web packages of $3" "node" "$npm_hint" install_web "$2"
}

add_client_steps() {
  add_wasm_step
  add_install_step client web/client "the shop page"
  add_step client-build "Building the shop page" "client-packages wasm-build" "$source_hint" \
    build_web client web/client "$web_dist/index.html"
}

# After the page: both bring the core into the same folder of the sources.
add_mini_step() {
  add_client_steps
  add_step mini-build "Building the mini-program" "client-build" "$source_hint" \
    build_web mini web/client "$mini_dist/app.json" build:mp-weixin
}

add_console_steps() {
  add_wasm_step
  add_install_step console web/admin "the console"
  add_step console-build "Building the console" "console-packages wasm-build" "$source_hint" \
    build_web console web/admin "$console_dist/index.html"
}
