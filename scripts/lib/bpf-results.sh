# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154 # common.sh has them
# Sourced by test-bpf: what the logs of all BPF selftests say.

kernels=(released y m)
suites=(test_progs test_maps test_verifier veristat)
# Of each kernel, the directory that it was built in, and that with what the tests found.
declare -A builds found
# The tests that the tree says not to run.
denied=$cache/test-bpf/denied

logs_of() { cat "${found[$1]}/$2"-*.log 2>/dev/null | tr -d '\r' || true; }

# results_of ITER: each test and how it ended, OK, FAIL or SKIP. The best counts of several.
results_of() {
	{
		logs_of "$1" test_progs | sed -nE 's/^#([0-9]+(\/[0-9]+)?) +(.*):(OK|FAIL|SKIP)( \(.*\))?$/test_progs #\1 \3\t\4/p'
		logs_of "$1" test_maps | sed -nE 's/^([^ ]+): ?(OK|PASS).*/test_maps \1\tOK/p'
		# Behind the name it may say what was run, more than once.
		logs_of "$1" test_verifier | sed -nE 's/^(#[0-9]+\/[pu] .*) (OK|FAIL|SKIP)\b.*/test_verifier \1\t\2/; T; s/ (FAIL|[0-9]+ cases|Did not run)\b[^\t]*\t/\t/; p'
		logs_of "$1" veristat | sed -nE 's/^([^,]+\.bpf\.o),([^,]+),success,.*/veristat \1 \2\tOK/p; s/^([^,]+\.bpf\.o),([^,]+),failure,.*/veristat \1 \2\tFAIL/p'
	} | awk -F '\t' '
		{ rank = $2 == "OK" ? 3 : $2 == "SKIP" ? 2 : 1 }
		rank > best[$1] { best[$1] = rank; end[$1] = $2 }
		END { for (test in end) print test "\t" end[test] }' | sort
}

# Of test_progs, the tests that there are, with their numbers, but for those that the tree denies.
all_tests() {
	awk 'FILENAME == ARGV[1] { deny[$1]; next }
		sub(/^DEFINE_TEST\(/, "") && sub(/\)$/, "") { number++; if (!($0 in deny)) print "#" number " " $0 }' \
		"$denied" "${builds[released]}/all-selftests-tree/$selftests_bpf/prog_tests/tests.h"
}

# ended_in LOG: those that have a result there.
ended_in() { tr -d '\r' <"$1" | sed -nE 's/^(#[0-9]+) +(.*):(OK|FAIL|SKIP)( \(.*\))?$/\1 \2/p'; }

# missing ITER: those of them that have no result.
missing() { all_tests | grep -vxFf <(results_of "$1" | sed -nE 's/^test_progs (#[0-9]+ [^\t]*)\t.*/\1/p'); }

# worse ITER: what passes on the tree as released, and not here.
worse() { join -t $'\t' -a 1 -e 'no result' -o 0,1.2,2.2 <(results_of released) <(results_of "$1") | awk -F '\t' '$2 == "OK" && $3 != "OK"'; }

# What the kernel complained of, without what differs from boot to boot, and from tree to tree. That it
# was slow is no complaint.
complaints() {
	sed -nE 's/\r$//; s/^\[[^]]*\] *(\[[^]]*\] *)?//; s/^(WARNING|BUG|UBSAN|kernel BUG|Oops|Kernel panic)([: ].*)/\1\2/p' <(cat "${found[$1]}/console" 2>/dev/null) |
		sed -E '/lockup|hung_task/d; s/\+0x.*//; s/, CPU#.*//; s/:[0-9]+( at |$)/\1/; s/0x[0-9a-f]+|[0-9]+(\.[0-9]+)?s|\b[0-9a-f]{8,}\b/N/g; s/\b(PID|pid):? *[0-9]+/PID/g' | sort -u
}

# counts ITER SUITE: how many passed, failed, and were skipped.
counts() {
	results_of "$1" | awk -F '\t' -v suite="$2 " 'index($1, suite) == 1 { n[$2]++ } END { print n["OK"] + 0, n["FAIL"] + 0, n["SKIP"] + 0 }'
}

# of_three COMMAND: what it has for each kernel, by the names of the tests.
of_three() {
	join -t $'\t' -a 1 -a 2 -e 'no result' -o 0,1.2,2.2 <("$1" released) <("$1" y) |
		join -t $'\t' -a 1 -a 2 -e 'no result' -o 0,1.2,1.3,2.2 - <("$1" m)
}

# sizes_of ITER: how much of each program the verifier has looked at.
sizes_of() { logs_of "$1" veristat | sed -nE 's/^([^,]+\.bpf\.o),([^,]+),[a-z]+,([0-9]+),([0-9]+)$/veristat \1 \2\t\3 instructions, \4 states/p' | sort; }

# Whatever is not the same on all three.
differs() {
	{ of_three results_of && of_three sizes_of; } |
		awk -F '\t' '$2 != $3 || $3 != $4 { print "- `" $1 "`: released " $2 "; `y` " $3 "; `m` " $4; found = 1 } END { if (!found) print "nothing." }'
}

# By the numbers of test_progs, a test and its subtests in one line.
fails_everywhere() {
	of_three results_of | awk -F '\t' '$2 == "FAIL" && $3 == "FAIL" && $4 == "FAIL" { print $1 }' | sort -V | awk '
		function end_line() { if (line) print "- `" line "`" (subtests ? ", subtests" subtests : "") }
		$1 == "test_progs" && split($2, number, "/") == 2 { subtests = subtests " " number[2]; next }
		{ end_line(); line = $0; subtests = "" }
		END { end_line(); if (!line) print "nothing." }'
}

# For docs/testing.md.
table() {
	local suite iter passed failed skipped
	echo "On $("$lib/versions" "${builds[y]}"), $ARCH, $(date +%F):"
	echo
	# shellcheck disable=SC2016 # this is Markdown's
	echo '| | `ITER` | passed | failed | skipped |'
	echo '| --- | --- | ---: | ---: | ---: |'
	for suite in "${suites[@]}"; do
		for iter in "${kernels[@]}"; do
			read -r passed failed skipped < <(counts "$iter" "$suite")
			echo "| \`$suite\` | $iter | $passed | $failed | $skipped |"
		done
	done
	echo
	echo 'What differs:'
	echo
	differs
	echo
	echo 'What fails on each of the three:'
	echo
	fails_everywhere
}
