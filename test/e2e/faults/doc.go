// Package faults breaks things on purpose and looks what is lost: real crawlers
// in processes of their own are killed, stopped, run out of disk, lose their
// power, their files and their clock, and a ledger that no fault touches knows
// what they had counted.
//
// The tests run a short form of every fault. The long form, `make faults`, takes
// about twenty minutes, and ends with a table:
//
//	runs      how often the fault was inflicted
//	older     of those, how often an older state came back
//	told      of the older ones, how often the log said so
//	silent    of the older ones, how often it did not: always 0
//	broken    how often more was lost than is promised: always 0
//
// CRAWLSTATS_FAULTS=long chooses the long form, CRAWLSTATS_SEED=n repeats a run,
// CRAWLSTATS_TABLE=file writes the table to a file too. CRAWLSTATS_SOAK=30m runs
// the soak test for so long.
//
// Full disks and power cuts need root, for a file system of their own in an image
// file. It is mounted in a mount namespace of the tests alone, and gone with them.
//
// # What a power cut is here
//
// A copy of the image while its file system is in use: what the kernel has not
// written to the device yet is not in the copy, as it is not on a disk when the
// power goes. The copy is taken twice, until both are equal, so that it is one
// moment and not several. What this cannot show is a disk that loses or reorders
// what it has already confirmed.
package faults
