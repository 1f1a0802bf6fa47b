# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# What packaging/run and packaging/test share: packages, configuring, building.
# Sourced by them; messages go to stderr, so that stdout belongs to the program.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# One line a need: package (alternatives by release, the first that apt knows is taken), then why.
engine_packages=(
    "g++|the compiler (C++20)"
    "cmake|configures the build"
    "ninja-build|runs the build"
    "pkg-config|finds libraries that have no CMake files"
    "libfmt-dev|formatting of text"
    "nlohmann-json3-dev|reading of model configurations"
    "libpcre2-dev|regular expressions of tokenizers"
    "libhwy-dev|vector instructions (Highway)"
)
window_packages=(
    "qt6-base-dev|the window (Qt Widgets)"
    "libgl-dev|asked for by Qt's CMake files"
    "libqt6opengl6-dev|asked for by Qt Charts"
    "qt6-charts-dev libqt6charts6-dev|the bar charts (Qt Charts)"
    "qt6-svg-dev libqt6svg6-dev|pictures of the inspector as SVG (Qt Svg)"
    "libsqlite3-dev|the history of conversations"
    "libmd4c-dev|Markdown in answers"
)
# Ubuntu 22.04 has no qtkeychain for Qt 6; the program does without, and says so.
if ! grep -qs '^VERSION_CODENAME=jammy' /etc/os-release; then
    window_packages+=("qtkeychain-qt6-dev|access tokens in the system's secret store")
fi
# A Wayland session without XWayland needs Qt's own plugin for it.
if [[ -n ${WAYLAND_DISPLAY:-} && -z ${DISPLAY:-} ]]; then
    window_packages+=("qt6-wayland|a window in this Wayland session")
fi
# NVIDIA's Python wheels of CUDA 13.0: compiler, headers, and cuBLASLt for prefill.
cuda_wheels=(
    "nvidia-cuda-nvcc==13.0.*"
    "nvidia-cuda-crt==13.0.*"
    "nvidia-nvvm==13.0.*"
    "nvidia-cuda-runtime==13.0.*"
    "nvidia-cuda-cccl==13.0.*"
    "nvidia-cublas==13.1.*"
)
test_packages=("libgtest-dev|the test framework")
sanitizer_packages=(
    "clang|the compiler with sanitizers and libFuzzer"
    "libclang-rt-14-dev libclang-rt-dev libclang-common-14-dev|libFuzzer and sanitizers"
)

say() { printf '%s\n' "$*" >&2; }

# Installs what is missing of the given needs; silent when nothing is.
ensurePackages() {
    local need names alternatives missing=() all=() installed
    if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
        say "No apt on this system: going on with the libraries that are here (README.md lists what is needed)."
        return
    fi
    for need in "$@"; do
        read -ra names <<<"${need%%|*}"
        all+=("${names[@]}")
    done
    installed=$(dpkg-query -W -f '${db:Status-Status} ${Package} \n' "${all[@]}" 2>/dev/null || true)
    for need in "$@"; do
        read -ra alternatives <<<"${need%%|*}"
        isAnyInstalled "$installed" "${alternatives[@]}" || missing+=("$need")
    done
    ((${#missing[@]} == 0)) || installPackages "${missing[@]}"
}

# isAnyInstalled LISTING NAME...: is one of the names installed, by dpkg-query's listing?
isAnyInstalled() {
    local listing=$1 name
    shift
    for name in "$@"; do
        [[ $listing == *"installed $name "* && $listing != *"not-installed $name "* ]] && return 0
    done
    return 1
}

installPackages() {
    local need name alternatives chosen=() as_root=()
    if ((EUID != 0)); then
        command -v sudo >/dev/null || { say "Packages are missing and there is no sudo: run this once as root."; return 1; }
        as_root=(sudo)
    fi
    local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=120)
    # A fresh container has no package lists at all.
    if ! apt-cache show libfmt-dev >/dev/null 2>&1; then
        say "Fetching the package lists."
        quietly "${apt[@]}" update
    fi
    say "These packages are missing and will be installed with apt:"
    for need in "$@"; do
        read -ra alternatives <<<"${need%%|*}"
        name=$(firstKnown "${alternatives[@]}")
        chosen+=("$name")
        printf '    %-22s %s\n' "$name" "${need#*|}" >&2
    done
    local install=(install -y --no-install-recommends "${chosen[@]}")
    quietly "${apt[@]}" "${install[@]}" && return
    say "Trying once more with fresh package lists."
    quietly "${apt[@]}" update
    quietly "${apt[@]}" "${install[@]}"
}

# The first of the names that apt can install; the first of all when it knows none, for apt's own message.
firstKnown() {
    local name
    for name in "$@"; do
        if apt-cache show "$name" >/dev/null 2>&1; then
            echo "$name"
            return
        fi
    done
    echo "$1"
}

# Runs a command; its output is shown only when it fails.
quietly() {
    local output
    output=$("$@" 2>&1 </dev/null) || {
        local status=$?
        say "$output"
        say "This failed: $*"
        return "$status"
    }
}

# fetchCuda FOLDER: unpacks the wheels there, unless they lie there already. Needs no root.
fetchCuda() {
    local folder=$1
    [[ ! -x $folder/nvidia/cu13/bin/nvcc ]] || return 0
    python3 -m pip --version >/dev/null 2>&1 || ensurePackages "python3-pip|fetches the CUDA compiler"
    say "Fetching NVIDIA's compiler, headers and cuBLASLt into $folder (700 MB)."
    rm -rf "$folder"
    # First beside it, so that what was interrupted is not taken for whole.
    rm -rf "$folder.part"
    quietly python3 -m pip install --no-deps --only-binary :all: --target "$folder.part" "${cuda_wheels[@]}"
    chmod +x "$folder.part"/nvidia/cu13/bin/* "$folder.part"/nvidia/cu13/nvvm/bin/*
    mv "$folder.part" "$folder"
}

# dropForeign FOLDER: removes a build folder that was configured for a tree elsewhere (moved, copied).
dropForeign() {
    local folder=$1 home
    if [[ -f $folder/CMakeCache.txt ]]; then
        home=$(sed -n 's/^CMAKE_HOME_DIRECTORY:INTERNAL=//p' "$folder/CMakeCache.txt")
        [[ $home == "$root" ]] || rm -rf "$folder"
    fi
}

# configure PRESET FOLDER [-D...]: configures the folder, taking ccache along when it is here.
configure() {
    local preset=$1 folder=$2
    shift 2
    if command -v ccache >/dev/null; then
        set -- "$@" -DCMAKE_CXX_COMPILER_LAUNCHER=ccache
    fi
    dropForeign "$folder"
    mkdir -p "$folder"
    say "Configuring ($preset)."
    (cd "$root" && cmake --preset "$preset" "$@" >"$folder/configure.log" 2>&1) || {
        say "$(tail -n 15 "$folder/configure.log")"
        say "Configuring failed; the log is $folder/configure.log"
        return 1
    }
}

# configureRelease FOLDER [--cuda]: configures the programs for use in the folder, unless that is done. With --cuda
# NVIDIA's compiler and headers are fetched into it first, where nvcc is not installed.
configureRelease() {
    local folder=$1 cuda=()
    dropForeign "$folder"
    if [[ ${2:-} == --cuda && ! -x $(command -v nvcc || echo /usr/local/cuda/bin/nvcc) ]]; then
        fetchCuda "$folder/cuda"
        cuda=(-DBATHYSCOPE_NVCC="$folder/cuda/nvidia/cu13/bin/nvcc" -DBATHYSCOPE_CUDA_INCLUDE="$folder/cuda/nvidia/cu13/include")
    fi
    if [[ ! -f $folder/build.ninja ]] \
        || { ((${#cuda[@]})) && ! grep -qF "BATHYSCOPE_NVCC:FILEPATH=$folder/cuda" "$folder/CMakeCache.txt"; }; then
        configure release "$folder" -DBATHYSCOPE_TESTS=OFF "${cuda[@]}"
    fi
}

# build FOLDER [TARGET...]: runs ninja, showing how far it is; the output goes to build.log.
build() {
    local folder=$1
    shift
    if ! ninja -C "$folder" -j "$(jobCount)" "$@" 2>&1 | tee "$folder/build.log" | showProgress; then
        say "$(grep -v '^\[' "$folder/build.log" | head -n 60)"
        say "The build failed; the log is $folder/build.log"
        return 1
    fi
}

# As many jobs as there are processors, but at least 1.5 GB of memory for each: the compiler needs it.
jobCount() {
    local processors memory
    processors=$(nproc)
    memory=$(awk '/^MemAvailable/ { print int($2 / 1500000) }' /proc/meminfo)
    ((memory = memory < 1 ? 1 : memory))
    echo $((processors < memory ? processors : memory))
}

# Reads ninja's lines; on a terminal one line that counts, elsewhere a line every tenth of the way.
showProgress() {
    local line step steps counted=0 shown=0 terminal=
    [[ -t 2 ]] && terminal=1
    while IFS= read -r line; do
        [[ $line =~ ^\[([0-9]+)/([0-9]+)\] ]] || continue
        step=${BASH_REMATCH[1]} steps=${BASH_REMATCH[2]} counted=1
        if [[ $terminal ]]; then
            printf '\r\033[KBuilding: %d of %d' "$step" "$steps" >&2
        elif ((step * 10 / steps > shown || step == 1)); then
            shown=$((step * 10 / steps))
            say "Building: $step of $steps"
        fi
    done
    if [[ $terminal ]] && ((counted)); then
        printf '\r\033[K' >&2
    fi
}
