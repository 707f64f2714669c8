// Package command moves crawls between engines with the command, as an operator
// would: from a directory of Badger to a real Redis server and on to a NATS
// cluster, and crawls on there.
package command
