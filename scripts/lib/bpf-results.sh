# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154 # common.sh and test-bpf have them
# Sourced by test-bpf: what the logs of all BPF selftests say, and how the kernels differ.
#
# What was found on a kernel is in $results/ITER.tsv, whose lines begin with what they say: key, of
# what it depends; run, when and on what; count, of a suite how many passed, failed and were skipped;
# result, of a test that did not pass, or of a subtest of such a test; subtests, how many of a test
# passed; size, how much of a program the verifier has looked at; complaint, of
# the kernel; denied, what the tree says not to run.

kernels=(released y m)
suites=(test_progs test_maps test_verifier veristat)
results=$cache/test-bpf
# Of each kernel, the directory that it was built in, and that with the logs.
declare -A builds logs

logs_of() { cat "${logs[$1]}/$2"-*.log 2>/dev/null | tr -d '\r' || true; }

# logged ITER: each test and how it ended, OK, FAIL or SKIP. The best counts of several.
logged() {
	local suite
	{
		logs_of "$1" test_progs | sed -nE 's/^#([0-9]+(\/[0-9]+)?) +(.*):(OK|FAIL|SKIP)( \(.*\))?$/test_progs #\1 \3\t\4/p'
		logs_of "$1" test_maps | sed -nE 's/^([^ ]+): ?(OK|PASS).*/test_maps \1\tOK/p'
		# Behind the name it may say what was run, more than once.
		logs_of "$1" test_verifier | sed -nE 's/^(#[0-9]+\/[pu] .*) (OK|FAIL|SKIP)\b.*/test_verifier \1\t\2/; T; s/ (FAIL|[0-9]+ cases|Did not run)\b[^\t]*\t/\t/; p'
		logs_of "$1" veristat | sed -nE 's/^([^,]+\.bpf\.o),([^,]+),success,.*/veristat \1 \2\tOK/p; s/^([^,]+\.bpf\.o),([^,]+),failure,.*/veristat \1 \2\tFAIL/p'
		for suite in "${suites[@]:1}"; do
			logs_of "$1" "$suite" | grep -qx 'exit status 0' && echo "$suite ends well"$'\tOK' || echo "$suite ends well"$'\tFAIL'
		done
	} | awk -F '\t' '
		{ rank = $2 == "OK" ? 3 : $2 == "SKIP" ? 2 : 1 }
		rank > best[$1] { best[$1] = rank; end[$1] = $2 }
		END { for (test in end) print test "\t" end[test] }' | sort
}

# Of test_progs, the tests that there are, with their numbers, or with "denied" those of them that the
# tree says not to run.
all_tests() {
	local tests=$base/all-selftests-tree/$selftests_bpf
	awk -v denied="${1:-}" '
		function is_denied(name,  pattern) {
			for (pattern in deny) if (name ~ pattern) return 1
			return 0
		}
		FILENAME != ARGV[ARGC - 1] {
			sub(/#.*/, "")
			gsub(/\*/, ".*", $1)
			if ($1 != "") deny["^" $1 "$"]
			next
		}
		sub(/^DEFINE_TEST\(/, "") && sub(/\)$/, "") { number++; if (is_denied($0) == (denied != "")) print "#" number " " $0 }' \
		"$denied" "$tests/prog_tests/tests.h"
}

# ended_in LOG: those that have a result there.
ended_in() { tr -d '\r' <"$1" | sed -nE 's/^(#[0-9]+) +(.*):(OK|FAIL|SKIP)( \(.*\))?$/\1 \2/p'; }

# missing ITER: those of them that have no result.
missing() { all_tests | grep -vxFf <(logged "$1" | sed -nE 's/^test_progs (#[0-9]+ [^\t]*)\t.*/\1/p'); }

# Of the results in the input, those that are kept.
telling() {
	awk -F '\t' '
		function number(test) { split(test, word, " "); sub(/\/.*/, "", word[2]); return word[1] " " word[2] }
		{ result[$1] = $2 }
		$2 != "OK" { bad[$1]; if ($1 ~ /^test_progs /) bad[number($1)] }
		END { for (test in result) if (test in bad || (test ~ /^test_progs / && number(test) in bad)) print test "\t" result[test] }' | sort
}

# Of the results in the input, how many subtests of each test passed.
subtests_of() {
	awk -F '\t' '
		$1 !~ /^test_progs / { next }
		$1 ~ /^test_progs #[0-9]+\// { split($1, word, "/"); if ($2 == "OK") passed[word[1]]++; next }
		{ split($1, word, " "); name[word[1] " " word[2]] = $1 }
		END { for (number in passed) if (number in name) print name[number] "\t" passed[number] }' | sort
}

# How much of each program the verifier has looked at.
sizes_of() {
	logs_of "$1" veristat | sed -nE 's/^([^,]+\.bpf\.o),([^,]+),[a-z]+,([0-9]+),([0-9]+)$/veristat \1 \2\t\3 instructions, \4 states/p' |
		sort -u -t $'\t' -k 1,1
}

# A breakpoint that was executed and is there no more is QEMU's fault: an emulated CPU can miss that x86,
# which changes code behind a breakpoint, has taken it away again, and no kernel survives that. The
# MPTCP developers have seen it, too (their issue 471). In freed code, there are breakpoints.
# shellcheck disable=SC2016 # the variables are those of awk
missed_poke='
	function release(  i) { for (i = 1; i <= held; i++) if (!count) print hold[i]; held = 0 }
	/Linux version / { release(); emulated = 1; missed = 0 }
	/Hypervisor detected: KVM/ { emulated = 0 }
	emulated && /Oops: int3: / && !held || held { hold[++held] = $0 }
	held && /Code: / { if (/ cc </) release(); else { missed = 1; misses++; held = 0 } next }
	held || missed || count { next }
	{ print }
	END { release(); if (count) print misses + 0 }'

# console_of ITER: what its kernel has said, but for what followed upon that.
console_of() { { cat "${logs[$1]}/console" 2>/dev/null || true; } | awk "$missed_poke"; }

# missed_pokes ITER: how many there were.
missed_pokes() { { cat "${logs[$1]}/console" 2>/dev/null || true; } | awk -v count=1 "$missed_poke"; }

# What the kernel complained of, and where, and which locks it named, without what differs from boot to
# boot, and from tree to tree. That it was slow is no complaint, nor is what QEMU does wrong.
complaints() {
	console_of "$1" | sed -E 's/\r$//; s/^\[[^]]*\] *(\[[^]]*\] *)?//' | FAULTS=$arch_faults PC=$arch_pc awk '
		/^(WARNING|BUG|UBSAN|kernel BUG|Oops|Kernel panic)[: ]|^Internal error: |^INFO: (trying to register|possible|suspicious) |^list_[a-z]+ corruption|^refcount_t: / ||
		$0 ~ "^(" ENVIRON["FAULTS"] ")" {
			print
			near = NR + 60
		}
		/^watchdog: / { near = 0 }
		NR > near { next }
		lock && /^[0-9a-f]+ \(/ { sub(/^[0-9a-f]+ /, ""); sub(/\)\{.*/, ")"); print "a lock: " $0 }
		{ lock = / lock:$/ }
		sub("^" ENVIRON["PC"], "") { print "at " $0 }' |
		sed -E '/lockup|hung_task/d; s/\+0x.*//; s/, CPU#.*//; s/:[0-9]+( at |$)/\1/; s/0x[0-9a-f]+|[0-9]+(\.[0-9]+)?s|\b[0-9a-f]{8,}\b/N/g
			s/\b(CPU|PID|pid):? *[0-9]+/\1/g; s,/[0-9]+\b,,g; s/#[0-9]+/#/g' | sort -u
}

# sum_up ITER KEY: what the logs say.
sum_up() {
	local all suite
	all=$(logged "$1")
	{
		echo '# SPDX-License-Identifier: GPL-2.0'
		echo "# What make test-bpf has found with ITER=$1. It is not run again as long as the key is the same."
		printf 'key\t%s\nrun\t%s\t%s\n' "$2" "$(date +%F)" "$("$lib/versions" "${builds[$1]}"), $ARCH"
		for suite in "${suites[@]}"; do
			awk -F '\t' -v suite="$suite" 'index($1, suite " ") == 1 && $1 != suite " ends well" { n[$2]++ }
				END { print "count", suite, n["OK"] + 0, n["FAIL"] + 0, n["SKIP"] + 0 }' OFS='\t' <<<"$all"
		done
		telling <<<"$all" | sed 's/^/result\t/'
		subtests_of <<<"$all" | sed 's/^/subtests\t/'
		all_tests denied | sed 's/^/denied\t/'
		sizes_of "$1" | sed 's/^/size\t/'
		complaints "$1" | sed 's/^/complaint\t/'
	} >"$results/$1.tsv"
}

# lines_of ITER WHAT: these of what was found.
lines_of() { sed -n "s/^$2\t//p" "$results/$1.tsv"; }

# compare ITER...: of each test that did not pass everywhere, how it ended on each.
compare() {
	(cd "$results" && awk -F '\t' '
		function number(test) { split(test, word, " "); sub(/\/.*/, "", word[2]); return word[1] " " word[2] }
		function end_of(test, file) {
			if ((test, file) in result) return result[test, file]
			return test ~ /^test_progs / && (number(test), file) in listed ? "no result" : "OK"
		}
		$1 == "result" { tests[$2]; result[$2, FILENAME] = $3; listed[number($2), FILENAME] }
		END {
			for (test in tests) {
				line = test
				for (i = 1; i < ARGC; i++) line = line "\t" end_of(test, ARGV[i])
				print line
			}
		}' "${@/%/.tsv}") | sort
}

# worse ITER: what passes on the tree as released, and not here. What ends before all was run has fewer
# that pass, and so has a test that leaves out subtests.
worse() {
	local found
	found=$(compare released "$1" | awk -F '\t' '$2 == "OK" && $3 != "OK"')
	[ -z "$found" ] || printf '%s\n' "$found"
	join -t $'\t' -a 1 -e 0 -o 0,1.2,2.2 <(lines_of released subtests) <(lines_of "$1" subtests) | awk -F '\t' '
		NR == FNR { if (split($1, word, "[ /]") > 1) known[word[1] " " word[2]]; next }
		$3 < $2 && split($1, word, " ") && !(word[1] " " word[2] in known) { print $1 "\tOK\tpasses " $3 " subtests instead of " $2 }' <(printf '%s\n' "$found") -
	join -t $'\t' -j 1 -o 0,1.2,2.2 <(lines_of released count | sort) <(lines_of "$1" count | sort) |
		awk -F '\t' '$1 != "test_progs" && $3 < $2 { print $1 " passes " $3 " instead of " $2 }'
}

# new_complaints ITER
new_complaints() { comm -13 <(lines_of released complaint | sort) <(lines_of "$1" complaint | sort); }

# Whatever is not the same on all three.
differs() {
	{
		compare "${kernels[@]}"
		join -t $'\t' -a 1 -a 2 -e 'no result' -o 0,1.2,2.2 <(lines_of released size) <(lines_of y size) |
			join -t $'\t' -a 1 -a 2 -e 'no result' -o 0,1.2,1.3,2.2 - <(lines_of m size)
	} | awk -F '\t' '$2 != $3 || $3 != $4 { print "- `" $1 "`: released " $2 "; `y` " $3 "; `m` " $4; found = 1 } END { if (!found) print "nothing." }'
}

# By the numbers of test_progs, a test and its subtests in one line. What the verifier refuses of the
# programs of veristat, it shall refuse.
fails_everywhere() {
	compare "${kernels[@]}" | awk -F '\t' '$1 !~ /\.bpf\.o / && $2 == "FAIL" && $3 == "FAIL" && $4 == "FAIL" { print $1 }' | sort -V | awk '
		function end_line() { if (line) print "- `" line "`" (subtests ? ", subtests" subtests : "") }
		$1 == "test_progs" && split($2, number, "/") == 2 {
			test = number[1] " " substr($3, 1, index($3 "/", "/") - 1)
			if (line != "test_progs " test) { end_line(); line = "test_progs " test; subtests = "" }
			subtests = subtests " " number[2]
			next
		}
		{ end_line(); line = $0; subtests = "" }
		END { end_line(); if (!line) print "nothing." }'
}

# enumerated: the lines of the input in one, for Markdown.
# shellcheck disable=SC2016 # the quotes are Markdown's
enumerated() { sort -V | sed 's/.*/`&`/' | paste -sd , | sed 's/,/, /g' | grep . || echo nothing; }

# For docs/testing.md.
table() {
	local suite iter when versions passed failed skipped
	for iter in "${kernels[@]}"; do
		IFS=$'\t' read -r when versions < <(lines_of "$iter" run)
		echo "- \`$iter\`: $versions, on $when"
	done
	echo
	# shellcheck disable=SC2016 # this is Markdown's
	echo '| | `ITER` | passed | failed | skipped |'
	echo '| --- | --- | ---: | ---: | ---: |'
	for suite in "${suites[@]}"; do
		for iter in "${kernels[@]}"; do
			read -r passed failed skipped < <(lines_of "$iter" count | sed -n "s/^$suite\t//p")
			echo "| \`$suite\` | $iter | $passed | $failed | $skipped |"
		done
	done
	echo
	# shellcheck disable=SC2016 # this is Markdown's
	echo 'What `veristat` counts as failed is what the verifier refuses, most of which it shall.'
	echo
	echo 'What differs:'
	echo
	differs
	echo
	echo 'What fails on each of the three:'
	echo
	fails_everywhere
	echo
	# shellcheck disable=SC2016 # this is Markdown's
	{
		printf 'Of `test_progs`, each of the three skips: %s.\n' "$(compare "${kernels[@]}" | sed -nE 's/^test_progs (#[0-9]+ [^\t]*)\tSKIP\tSKIP\tSKIP$/\1/p' | enumerated)"
		printf 'The tree says not to run, in its `DENYLIST`: %s.\n' "$(lines_of released denied | enumerated)"
	}
}
