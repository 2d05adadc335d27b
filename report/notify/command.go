package notify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"github.com/lobstrail/lobstrail/report/alert"
)

type commandSink struct {
	limits
	command     []string
	environment []string
}

func newCommand(l limits, s Settings) (Sink, error) {
	if len(s.Command) == 0 || s.Command[0] == "" {
		return nil, errors.New(`command: a program is needed, such as command = ["/usr/local/bin/tell", "ops"]`)
	}
	for _, word := range s.Command {
		if strings.ContainsRune(word, 0) {
			return nil, errors.New("command: an argument has a NUL in it")
		}
	}
	environment := s.Environment
	if environment == nil {
		environment = []string{} // nil would be all of ours, with its secrets
	}
	return &commandSink{l, s.Command, environment}, nil
}

// commandGrace is how long the pipes of a command that has ended may stay open.
const commandGrace = time.Second

// Send runs the program with the body as JSON on its standard input. What it prints is
// thrown away: it may hold secrets. When ctx is done it is killed, with the processes that
// it has started.
func (s *commandSink) Send(ctx context.Context, body alert.Body) error {
	raw, err := marshal(body)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, s.command[0], s.command[1:]...)
	cmd.Env = s.environment
	cmd.Stdin = bytes.NewReader(append(raw, '\n'))
	cmd.WaitDelay = commandGrace
	killGroup(cmd)
	return commandCause(ctx, cmd.Run())
}

func commandCause(ctx context.Context, err error) error {
	exit, exited := errors.AsType[*exec.ExitError](err)
	switch {
	case err == nil, errors.Is(err, exec.ErrWaitDelay):
		return nil // it has ended well; what it left behind holds the pipes
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return errors.New("the command did not end in time, and was killed")
	case ctx.Err() != nil:
		return ctx.Err()
	case exited && exit.Exited():
		return fmt.Errorf("the command exited with %d", exit.ExitCode())
	case exited:
		return errors.New("the command was killed by a signal")
	case errors.Is(err, exec.ErrNotFound):
		return errors.New("the command was not found in PATH")
	}
	return errors.New("the command could not be started: the program is missing, or may not be run")
}
