# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Sourced by tests that are functions of a script: a directory to work in, and running them.

failed=

# A directory $work, which goes away with the script. Everybody can look into it, and run programs.
make_work() {
	local dir=/tmp
	[[ ,$(findmnt -n -o OPTIONS -T /tmp), != *,noexec,* ]] || dir=/var/tmp
	work=$(mktemp -d $dir/kmem-cache-iter.XXXXXX)
	chmod 755 "$work"
	trap 'rm -rf "$work"' EXIT
}

# fails COMMAND...: whether it does, in a way that was expected.
fails() {
	local status=0
	"$@" || status=$?
	[ "$status" -gt 0 ] && [ "$status" -lt 126 ]
}

# run_tests GROUP TEST...: run each of these functions in an empty directory of its own. A line
# says how it ended, after what it has said if it has failed.
run_tests() {
	local group=$1 test start
	shift
	for test; do
		start=$SECONDS
		mkdir "$work/$test"
		# Not as a condition, in which bash goes on after errors.
		set +e
		(cd "$work/$test" && set -eux && "$test") >"$work/$test.log" 2>&1 </dev/null
		status=$?
		set -e
		if [ "$status" -eq 0 ]; then
			echo "$group/$test:OK"
		else
			cat "$work/$test.log" >&2
			echo "$group/$test:FAIL"
			# shellcheck disable=SC2034 # the sourcing scripts use it
			failed=1
		fi
		say "$(elapsed $((SECONDS - start)))  $group/$test"
		chmod -R u+w "$work/$test"
		rm -rf "${work:?}/$test"
	done
}
