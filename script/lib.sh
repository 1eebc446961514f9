# What the scripts beside this file share: one-line errors, a Python, and .venv. Sourced from the project's folder.

# The leg of script/test that tries the next Django sets these to others.
venv=.venv least=3.11

die() {
    printf '%s\n' "$*" >&2
    exit 1
}

# Prints the first Python that is new enough. It is run, not only found: a name on the PATH may be an empty shim.
find_python() {
    for name in python3.13 python3.12 python3.11 python3 python; do
        if "$name" -c "import sys; sys.exit(sys.version_info < tuple(map(int, '$least'.split('.'))))" 2>/dev/null; then
            command -v "$name"
            return
        fi
    done
    return 1
}

make_venv() {
    python=$(find_python) ||
        die "No Python $least or newer found: install one (Debian, Ubuntu: apt install python3 python3-venv; macOS: brew install python) and run this again."
    "$python" -c 'import venv, ensurepip' 2>/dev/null ||
        die "Python's venv module is missing: install it (Debian, Ubuntu: apt install python3-venv) and run this again."
    echo "Making $venv with $("$python" --version) ..."
    "$python" -m venv --clear "$venv" || die "Could not make $venv: see the lines above."
}

# install_requirements FILE...: makes the venv hold what the files name. A copy of each file inside it says what
# was installed, so that an unchanged file costs nothing.
install_requirements() {
    # Works with a folder that cannot be written to, as long as nothing has to be installed.
    for file in "$@"; do
        if [ -x "$venv/bin/python" ] && cmp -s "$file" "$venv/installed-$file"; then
            continue
        fi
        [ -w . ] || die "Cannot write to $(pwd): make the folder writable for $(id -un) and run this again."
        # Also where an earlier start was stopped half-way, or the Python behind the venv is gone.
        "$venv/bin/python" -m pip --version >/dev/null 2>&1 || make_venv
        echo "Installing $file ..."
        "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "$file" ||
            die "Could not install $file: see the lines above; with the network back, run this again."
        cp "$file" "$venv/installed-$file"
    done
}
