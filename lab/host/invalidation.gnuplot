# SPDX-License-Identifier: GPL-2.0
# The picture of what an invalidation costs: rows= the number of caches, stock and patched;
# out= the file, base= its kernel.
set terminal svg noenhanced size 700,450 background "white" font "sans,12"
set output out
set datafile separator "\t"
set title "linux-".base.": an invalidation of an unrelated page"
set xlabel "active caches of the VM"
set ylabel "instructions"
set logscale y
set yrange [1000:200000]
set xrange [-0.3:5.5]
set ytics (1000, 2000, 5000, 10000, 20000, 50000, 100000, 200000)
set grid ytics
set key top left
plot rows using 0:2:xtic(1) with linespoints lw 5 pt 7 ps 0.8 lc rgb "#b0b0b0" title "stock", \
     rows using 0:3 with linespoints lw 2 pt 7 ps 0.5 lc rgb "#3a8f5a" title "patched"
