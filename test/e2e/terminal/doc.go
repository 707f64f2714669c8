// Package terminal tests the progress line, the signals and the summary as they
// are on a real terminal: a crawler runs in a pane of tmux, where keys are pressed
// and what stands on the screen is read.
//
//	apt-get install -y --no-install-recommends tmux
//
// Without tmux its tests are skipped, but where CI is set they fail.
package terminal
