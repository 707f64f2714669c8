package examples

import (
	"context"

	"github.com/hibiken/asynq"

	"github.com/crawlstats/crawlstats/stats"
)

// CountTasks counts each run of a task as a request, failed or finished.
func CountTasks(mux *asynq.ServeMux, st *stats.Statistics) {
	// quoted: middleware
	mux.Use(func(next asynq.Handler) asynq.Handler {
		return asynq.HandlerFunc(func(ctx context.Context, task *asynq.Task) (err error) {
			tries, _ := asynq.GetRetryCount(ctx)
			j := st.BeginWith(stats.Request{Retries: tries})
			defer j.End(&err)
			return next.ProcessTask(ctx, task)
		})
	})
	// end
}
