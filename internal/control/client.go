// The client.

package control

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
)

// Client asks a Server. It is for one goroutine at a time.
type Client struct {
	conn    net.Conn
	answers *bufio.Reader
}

// Dial connects to the socket at path.
func Dial(ctx context.Context, path string) (*Client, error) {
	var d net.Dialer
	c, err := d.DialContext(ctx, "unix", path)
	if err != nil {
		return nil, err
	}
	return &Client{c, bufio.NewReader(c)}, nil
}

// Do asks for r and waits for the answer, until ctx is done. An Answer.Error is an error here too, of which Answer has the text.
func (c *Client) Do(ctx context.Context, r Request) (a Answer, err error) {
	defer context.AfterFunc(ctx, func() { c.conn.Close() })()
	// A server that has no room answers before it is asked, and closes: so its answer counts for more than this error.
	sent := send(c.conn, r)
	line, err := c.answers.ReadBytes('\n')
	if err != nil {
		if errors.Is(err, io.EOF) {
			err = errors.New("the switch has closed the connection")
		}
		if ctx.Err() != nil {
			err = ctx.Err()
		} else if sent != nil {
			err = sent
		}
		return a, err
	}
	if err := json.Unmarshal(line, &a); err != nil {
		return a, fmt.Errorf("an answer that is none: %w", err)
	}
	if a.Error != "" {
		return a, errors.New(a.Error)
	}
	return a, nil
}

// Close closes the connection.
func (c *Client) Close() error { return c.conn.Close() }

// Ask asks the switch whose socket is at path one thing.
func Ask(ctx context.Context, path string, r Request) (Answer, error) {
	c, err := Dial(ctx, path)
	if err != nil {
		return Answer{}, err
	}
	defer c.Close()
	return c.Do(ctx, r)
}
