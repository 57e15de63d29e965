# Shared by the scripts beside it, which source it first. POSIX sh: a fresh Debian has dash and no git, curl, sudo or
# python. Everything that is written goes below the repository: build/ and .everfold/.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
state=$root/.everfold
export CCACHE_DIR="${CCACHE_DIR:-$state/ccache}"

# shellcheck disable=SC2034  # for the scripts
build_packages="g++ cmake ninja-build ccache mold libgrpc++-dev protobuf-compiler protobuf-compiler-grpc
  libprotobuf-dev libprotoc-dev librocksdb-dev libsqlite3-dev libabsl-dev libgtest-dev libgmock-dev
  libssl-dev libxxhash-dev libre2-dev libspdlog-dev libcli11-dev libjemalloc-dev"
# shellcheck disable=SC2034
test_packages="python3 python3-grpcio python3-protobuf"

say() { printf '==> %s\n' "$*"; }

# fail STATUS TEXT...
fail() {
  fail_status=$1
  shift
  printf '%s\n' "$@" >&2
  exit "$fail_status"
}

# --- packages ---------------------------------------------------------------------------------------------------------

# The packages among $1 that are not installed, in one line.
missing_packages() {
  # shellcheck disable=SC2086  # a list
  installed=$(dpkg-query -W -f='${db:Status-Abbrev} ${Package}\n' $1 2>/dev/null | awk '$1 == "ii" { print $2 }')
  for package in $1; do
    printf '%s\n' "$installed" | grep -qxF -e "$package" || printf ' %s' "$package"
  done
}

# Boost's headers have a version in their package name on Debian 12.
boost_package() {
  case $(. /etc/os-release && printf '%s' "${VERSION_CODENAME:-}") in
    bookworm) echo libboost1.81-dev ;;
    *) echo libboost-dev ;;
  esac
}

require_debian() {
  # shellcheck disable=SC2015  # both must hold
  if [ -r /etc/os-release ] && [ "$(. /etc/os-release && printf '%s' "$ID")" = debian ] &&
    command -v dpkg-query >/dev/null; then
    return
  fi
  fail 3 "This script installs packages on Debian 12 and newer only, and this system is another one." \
    "With a C++20 compiler and the libraries of CONTRIBUTING.md in place, build without it:" \
    "  cmake --preset dev && cmake --build --preset dev && ctest --preset dev"
}

# need_packages LIST: installs what is missing of it. Touches no network if nothing is.
need_packages() {
  require_debian
  missing=$(missing_packages "$1")
  [ -n "$missing" ] || return 0
  as_root=
  if [ "$(id -u)" != 0 ]; then
    as_root=sudo
    command -v sudo >/dev/null || fail 3 "These packages are missing, and installing them takes root. As root, run" \
      "  apt-get update && apt-get install -y --no-install-recommends$missing" "and then this script again."
  fi
  say "installing$missing"
  run_logged packages install_packages
}

install_packages() {
  update_package_lists
  # shellcheck disable=SC2086  # lists
  $as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -y -q install \
    --no-install-recommends $missing
}

# apt waits for the lock of its packages, but not for the one of its lists.
update_package_lists() {
  attempts=30
  until $as_root apt-get -q update; do
    attempts=$((attempts - 1))
    [ "$attempts" -gt 0 ] && tail -n 5 "$log" | grep -q 'Could not get lock' || return 1
    sleep 10
  done
}

# --- building ---------------------------------------------------------------------------------------------------------

# How many compilers fit: one takes up to 1.2 GB.
jobs_that_fit() {
  kilobytes=$(awk '$1 == "MemAvailable:" { print $2 }' /proc/meminfo)
  limit=$(cat /sys/fs/cgroup/memory.max 2>/dev/null || echo max)
  case $limit in
    *[!0-9]* | '') ;;
    *) [ $((limit / 1024)) -ge "$kilobytes" ] || kilobytes=$((limit / 1024)) ;;
  esac
  fit=$((kilobytes / 1200000))
  [ "$fit" -ge 1 ] || fit=1
  cores=$(nproc)
  [ "$fit" -le "$cores" ] || fit=$cores
  echo "$fit"
}

# build PRESET [TARGET...]: configures and builds, everything if no target is named.
build() {
  preset=$1
  shift
  say "building ($preset, $(jobs_that_fit) at a time)"
  cd "$root"
  run_logged "configure-$preset" cmake --preset "$preset"
  if [ $# -gt 0 ]; then set -- --target "$@"; fi
  run_logged "build-$preset" cmake --build --preset "$preset" -j "$(jobs_that_fit)" "$@"
}

# --- logs -------------------------------------------------------------------------------------------------------------

# run_logged NAME COMMAND...: the output goes to .everfold/log/NAME.log, and its end to the terminal on failure.
run_logged() {
  log=$state/log/$1.log
  shift
  mkdir -p "$state/log"
  : >"$log"
  start_ticker
  status=0
  "$@" >"$log" 2>&1 || status=$?
  stop_ticker
  [ "$status" = 0 ] && return 0
  tail -n 40 "$log" >&2
  fail "$status" "" "This did not work; the end of its output is above, all of it in $log"
}

# On a terminal, shows the last line of the log while a command runs.
ticker=
start_ticker() {
  [ -t 1 ] || return 0
  (while sleep 0.3; do printf '\r\033[K%s' "$(tail -n 1 "$log" | cut -c 1-78)"; done) &
  ticker=$!
  trap stop_ticker EXIT
}
stop_ticker() {
  [ -n "$ticker" ] || return 0
  kill "$ticker" 2>/dev/null || true
  wait "$ticker" 2>/dev/null || true
  ticker=
  printf '\r\033[K'
}
