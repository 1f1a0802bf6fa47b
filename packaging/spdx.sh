# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# Lists of contents in the form of SPDX 2.3. Sourced by what makes packages.

spdxId() { printf 'SPDXRef-%s' "${1//[^a-zA-Z0-9.-]/-}"; }

# spdxPackage PART VERSION LICENCE [COMMENT]
spdxPackage() {
    printf 'PackageName: %s\nSPDXID: %s\nPackageVersion: %s\n' "$1" "$(spdxId "$1")" "$2"
    printf 'PackageDownloadLocation: NOASSERTION\nFilesAnalyzed: false\nPackageLicenseConcluded: %s\n' "$3"
    [[ -z ${4:-} ]] || printf 'PackageLicenseComments: <text>%s</text>\n' "$4"
    printf '\n'
}

# spdxDocument NAME VERSION TREE PARTS ORIGINS: an SPDX document of all files below TREE. PARTS has a line "part
# version" for each foreign part, ORIGINS a line "file<TAB>part" for each file that is one's or is made of it.
spdxDocument() {
    local name=$1 version=$2 tree=$3 parts=$4 origins=$5 file part hash number=0 relations=()
    local -A origin
    while IFS=$'\t' read -r file part; do
        origin[$file]=$part
    done <<<"$origins"
    printf 'SPDXVersion: SPDX-2.3\nDataLicense: CC0-1.0\nSPDXID: SPDXRef-DOCUMENT\nDocumentName: %s\n' "$name"
    printf 'DocumentNamespace: urn:bathyscope:%s:%s\n' "$name" "$SOURCE_DATE_EPOCH"
    printf 'Creator: Tool: bathyscope-packaging-%s\n' "$version"
    printf 'Created: %s\n\n' "$(date -u -d "@$SOURCE_DATE_EPOCH" +%FT%TZ)"
    while IFS= read -r file; do
        ((++number))
        printf 'FileName: ./%s\nSPDXID: SPDXRef-File-%d\n' "$file" "$number"
        for hash in sha1 sha256; do
            printf 'FileChecksum: %s: %s\n' "${hash^^}" "$("${hash}sum" <"$tree/$file" | cut -d ' ' -f 1)"
        done
        printf 'LicenseConcluded: NOASSERTION\nFileCopyrightText: NOASSERTION\n\n'
        relations+=("SPDXRef-File-$number GENERATED_FROM $(spdxId "${origin[$file]:-bathyscope}")")
    done < <(cd "$tree" && find . -type f -printf '%P\n' | sort)
    spdxPackage bathyscope "$version" GPL-3.0-or-later
    while read -r part version; do
        spdxPackage "$part" "$version" NOASSERTION "See share/doc/bathyscope/licences/libraries/$part.txt"
    done <<<"$parts"
    printf 'Relationship: %s\n' "SPDXRef-DOCUMENT DESCRIBES SPDXRef-bathyscope" "${relations[@]}"
}
