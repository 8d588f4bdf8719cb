package jobrun

import "context"

// beside does work that looks at no context, and returns what it returns, or why ctx ended before. The work goes on then, until
// this process ends: so it changes nothing that anybody else reads, but for what the redactor learns.
func beside[T any](ctx context.Context, work func() (T, error)) (T, error) {
	type outcome struct {
		value T
		err   error
	}
	done := make(chan outcome, 1)
	go func() {
		value, err := work()
		done <- outcome{value, err}
	}()
	select {
	case <-ctx.Done():
		var none T
		return none, context.Cause(ctx)
	case o := <-done:
		return o.value, o.err
	}
}
