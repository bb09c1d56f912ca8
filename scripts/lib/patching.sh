# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154 # the sourcing scripts have $lib
# Sourced by the scripts that apply patches/: applying a patch to a file, exactly, or
# loosely to one whose other lines have changed.

# Git as it is without anybody's configuration, which may have hooks, signatures, formats,
# and wishes about ends of lines.
plain_git() { GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 git -c core.abbrev=12 "$@"; }

# patches_in DIRECTORY: those of `make series` there, in their order, without the cover letters.
patches_in() { find "$1" -name 'v1-*.patch' ! -name '*-0000-*' | sort; }

# files_of PATCH...: the files that they change.
files_of() { sed -n 's,^+++ b/,,p' "$@" | sort -u; }

# apply_exactly DIRECTORY FILE [--reverse] PATCH: change the file there by what the patch has for it.
# Repositories around the directory are none of its business.
apply_exactly() {
	local directory=$1 file=$2
	shift 2
	(cd "$directory" && unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE && GIT_CEILING_DIRECTORIES=${directory%/*} \
		plain_git apply --whitespace=nowarn --include="$file" "$@")
}

# apply_loosely DIRECTORY FILE [--reverse] PATCH: the same, though other lines of the file may
# differ. Says on standard error what was not as expected.
apply_loosely() {
	local directory=$1 file=$2
	shift 2
	apply_exactly "$directory" "$file" "$@" 2>/dev/null && return
	place_patch "${@:1:$#-1}" "$file" "${!#}" <"$directory/$file" >"$directory/$file.placed" || { rm "$directory/$file.placed" && return 1; }
	mv "$directory/$file.placed" "$directory/$file"
}

# By the Python of this machine, or else by the sysroot's.
# shellcheck disable=SC2154 # common.sh has set it
place_patch() {
	if command -v python3 >/dev/null; then
		"$lib/place-patch" "$@"
	else
		in_sysroot "$lib/place-patch" "$@"
	fi
}
