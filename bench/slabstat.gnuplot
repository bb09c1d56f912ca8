# SPDX-License-Identifier: GPL-2.0
# Instructions for a table of all caches against the number of caches; bench/report calls it.

set terminal svg size 720,400 font "sans-serif,13" background "white"
set output output
set logscale xy
set xlabel "caches"
set ylabel "million instructions for a table"
set xtics ("100" 100, "1,000" 1000, "10,000" 10000)
set xrange [80:12500]
set format y "%g"
set key outside right
set grid

commands = "'slabstat --read' slabstat 'slabtop --once' 'cat /proc/slabinfo'"
plot for [i = 1:4] data using 1:(column(i + 1) / 1e6) with linespoints pointtype 7 linecolor i title word(commands, i)
