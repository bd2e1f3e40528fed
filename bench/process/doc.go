// Package process starts the programs under measurement, on a core of their own, and reads what the kernel counts of
// them: CPU time and resident memory. Linux only.
package process
