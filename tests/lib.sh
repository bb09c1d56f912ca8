# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034 # the sourcing scripts use these
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

# run_test GROUP TEST: run that function in an empty directory of its own. A line says how it
# ended, after what it has said if it has failed.
run_test() {
	local start=$SECONDS status=0
	mkdir "$work/$2"
	# Not as a condition, in which bash goes on after errors.
	set +e
	(cd "$work/$2" && set -eux && "$2") >"$work/$2.log" 2>&1 </dev/null
	status=$?
	set -e
	if [ "$status" -eq 0 ]; then
		echo "$1/$2:OK"
	else
		cat "$work/$2.log" >&2
		echo "$1/$2:FAIL"
		touch "$work/failed"
	fi
	say "$(elapsed $((SECONDS - start)))  $1/$2"
	chmod -R u+w "$work/$2"
	rm -rf "${work:?}/$2"
}

# run_tests GROUP TEST...: run them, as many at a time as there are CPUs.
run_tests() {
	local group=$1 test
	shift
	# Each in a process group of its own, so that all of it can be stopped.
	set -m
	trap 'for test in $(jobs -p); do kill -- "-$test" || true; done 2>/dev/null; wait 2>/dev/null; trap - INT; kill -INT $$' INT TERM HUP
	for test; do
		[ "$(jobs -pr | wc -l)" -lt "$(nproc)" ] || wait -n || true
		run_test "$group" "$test" &
	done
	wait
	set +m
	trap - INT TERM HUP
	[ ! -e "$work/failed" ] || failed=1
}
