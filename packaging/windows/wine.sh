# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# A Windows to test in: an empty Wine folder that is gone afterwards. Sourced after packaging/setup.sh.

wine_packages=(
    "wine|runs programs for Windows"
    "wine64|its 64-bit half"
)

# startWine: makes WINEPREFIX, and removes it and Wine's server when the script ends.
startWine() {
    wine_folder=$(mktemp -d)
    export WINEPREFIX=$wine_folder/prefix WINEDEBUG=-all WINEARCH=win64
    # No pictures of foreign browsers and no menus in the real desktop.
    export WINEDLLOVERRIDES="mscoree=;mshtml=;winemenubuilder.exe="
    trap stopWine EXIT
    quietly wine wineboot --init
    quietly wineserver --wait
}

stopWine() {
    wineserver --kill || true
    rm -rf "$wine_folder"
}
