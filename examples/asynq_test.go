package examples

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"testing"
	"time"

	"github.com/hibiken/asynq"

	"github.com/crawlstats/crawlstats/stats"
)

// redisServer runs a Redis until the test ends.
func redisServer(t *testing.T) (addr string) {
	t.Helper()
	path, err := exec.LookPath("redis-server")
	if err != nil {
		missing(t, "redis-server", "redis-server")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	l.Close()
	cmd := exec.Command(path, "--port", fmt.Sprint(port), "--bind", "127.0.0.1", "--dir", t.TempDir(), "--save", "")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	addr = fmt.Sprintf("127.0.0.1:%d", port)
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		conn, err := net.Dial("tcp", addr)
		if err == nil {
			conn.Close()
			return addr
		}
		if time.Now().After(end) {
			t.Fatal(err)
		}
	}
}

func TestAsynq(t *testing.T) {
	opt, st := asynq.RedisClientOpt{Addr: redisServer(t)}, stats.New()
	mux := asynq.NewServeMux()
	CountTasks(mux, st)
	done := make(chan struct{})
	mux.HandleFunc("page", func(ctx context.Context, _ *asynq.Task) error {
		if tries, _ := asynq.GetRetryCount(ctx); tries < 2 {
			return errors.New("busy")
		}
		close(done)
		return nil
	})
	server := asynq.NewServer(opt, asynq.Config{
		Concurrency: 2, LogLevel: asynq.FatalLevel,
		TaskCheckInterval: 50 * time.Millisecond, DelayedTaskCheckInterval: 50 * time.Millisecond,
		RetryDelayFunc: func(int, error, *asynq.Task) time.Duration { return time.Millisecond },
	})
	if err := server.Start(mux); err != nil {
		t.Fatal(err)
	}
	client := asynq.NewClient(opt)
	defer client.Close()
	if _, err := client.Enqueue(asynq.NewTask("page", nil), asynq.MaxRetry(5)); err != nil {
		t.Fatal(err)
	}
	select {
	case <-done:
	case <-time.After(time.Minute):
		t.Error("the task was not run three times")
	}
	server.Shutdown()
	counted(t, st, "finished 1, failed 2, retried 2, codes map[]")
	if h := st.Snapshot().RetryHistogram; fmt.Sprint(h) != "[1 1 1]" {
		t.Errorf("retry histogram %v: one run each with 0, 1 and 2 retries", h)
	}
}
