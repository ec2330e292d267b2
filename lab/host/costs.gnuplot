# SPDX-License-Identifier: GPL-2.0
# The picture of a table of costs: rows= the table, out= the file, base= its kernel.
# A bar to the left is what the patched kernel saves, one to the right what it adds.
set terminal svg noenhanced size 1030,1400 background "white" font "sans,12"
set output out
set datafile separator "\t"
set title "linux-".base.": what the patched kernel needs, in percent of stock"
set xrange [-10:4]
set xtics ("-10 %%" -10, "-8 %%" -8, "-6 %%" -6, "-4 %%" -4, "-2 %%" -2, "same" 0, "+2 %%" 2, "+4 %%" 4)
set yrange [] reverse
set ytics nomirror
set grid xtics
set lmargin 60
set rmargin 18
set arrow from 0, graph 0 to 0, graph 1 nohead lw 2 lc rgb "black" front
unset key
# What a kernel does not know has no bar.
percent(ratio) = ratio eq "-" ? 0 : 100 * (ratio - 1)
plot rows using (0):0:(0):(percent(stringcolumn(3))):($0-0.38):($0+0.38):ytic(4) with boxxyerror \
	fs solid 0.8 lc rgb "#3a8f5a", \
     rows using (stringcolumn(3) ne "-" && column(2) > column(1) ? 0 : NaN):0:(0):(percent(stringcolumn(3))):($0-0.38):($0+0.38) \
	with boxxyerror fs solid lc rgb "#c04040", \
     rows using (4):0:(stringcolumn(3) eq "-" ? "not in this kernel" : stringcolumn(1)." -> ".stringcolumn(2)) \
	with labels left offset 1,0 font "sans,10"
