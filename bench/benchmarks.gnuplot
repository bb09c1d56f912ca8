# SPDX-License-Identifier: GPL-2.0
# Instructions for each cache against the number of caches; bench/report calls it.

set terminal svg size 720,480 font "sans-serif,13" background "white"
set output output
set logscale xy
set xlabel "caches"
set ylabel "instructions for each cache, name and sizes printed"
set xtics ("100" 100, "1,000" 1000, "10,000" 10000)
set xrange [80:12500]
set yrange [1000:100000]
set ytics ("1,000" 1000, "10,000" 10000, "100,000" 100000)
set key outside right
set grid

sizes = "1 64 4,096 65,536"
plot for [i = 1:4] data using 1:(column(2 * i)) with linespoints dashtype 2 pointtype 6 linecolor i \
	title sprintf("C, %s B a read", word(sizes, i)), \
     for [i = 1:4] data using 1:(column(2 * i + 1)) with linespoints pointtype 7 linecolor i \
	title sprintf("Rust, %s B a read", word(sizes, i))
